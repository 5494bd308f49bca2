//! Saving and loading of parameters and optimiser state: [`Checkpoint`].

mod atomic;
mod crc32;
mod format;

use std::{collections::BTreeMap, path::Path};

use candle_core::Tensor;

use self::format::OPTIMIZER;
use crate::{
    Error, Parameters, Result,
    resume::{Resume, pair},
};

/// A copy of the parameters at one moment, with, if wanted, the state of the optimiser, the number
/// of steps done, and notes.
///
/// The file is ordinary [safetensors](https://github.com/huggingface/safetensors), which candle
/// and PyTorch read as well: parameters under their paths, optimiser state under `optimizer/…`.
/// The entry `ansatz` of its metadata holds the rest as JSON, with a CRC-32 of all contents.
///
/// # Example
/// ```
/// use ansatz_core::{Key, candle::{DType, Device}};
/// use ansatz_nn::{Adam, AdamConfig, Checkpoint, Mlp, MlpConfig, Parameters};
///
/// # fn main() -> ansatz_nn::Result<()> {
/// let parameters = Parameters::new(Key::new(0), DType::F32, &Device::Cpu)?;
/// let model = Mlp::new(&MlpConfig::new([2, 16, 1]), parameters.builder())?;
/// let mut adam = Adam::for_parameters(&parameters, AdamConfig::default())?;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("model.safetensors");
/// Checkpoint::new(&parameters)?.optimizer(&adam)?.step(1000).save(&path)?;
///
/// let checkpoint = Checkpoint::load(&path)?;
/// checkpoint.restore_with(&parameters, &mut adam)?;
/// assert_eq!(checkpoint.steps_done(), 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Checkpoint {
    parameters: BTreeMap<String, Tensor>,
    optimizer: BTreeMap<String, Tensor>,
    step: u64,
    notes: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Copies the parameters.
    ///
    /// # Errors
    /// When a path starts with `optimizer/` or is `__metadata__`, which the file format keeps for
    /// itself, or candle fails.
    pub fn new(parameters: &Parameters) -> Result<Self> {
        let mut copies = BTreeMap::new();
        for (path, var) in parameters.read().iter() {
            copies.insert(path.clone(), var.as_tensor().detach().copy()?);
        }
        Self::from_tensors(copies)
    }

    /// A checkpoint of tensors from elsewhere, for example from
    /// [`candle_core::safetensors::load`]: the way to load files that ansatz did not write.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn from_tensors(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Result<Self> {
        let parameters: BTreeMap<_, _> = tensors.into_iter().collect();
        match parameters.keys().find(|p| p.starts_with(OPTIMIZER) || *p == "__metadata__") {
            Some(path) => Err(Error::invalid(
                "path of a parameter in a checkpoint",
                path,
                "a path other than `__metadata__` and `optimizer/…`",
            )),
            None => Ok(Self { parameters, ..Self::default() }),
        }
    }

    /// Adds a copy of the state of an optimiser.
    ///
    /// # Errors
    /// When candle fails.
    pub fn optimizer(mut self, optimizer: &impl Resume) -> Result<Self> {
        self.optimizer = optimizer.state()?;
        Ok(self)
    }

    /// Sets the number of steps done, at which training is to continue.
    #[must_use]
    pub fn step(self, step: u64) -> Self {
        Self { step, ..self }
    }

    /// Adds a note: a configuration as JSON, a date, a commit.
    #[must_use]
    pub fn note(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.notes.insert(name.into(), text.into());
        self
    }

    /// The stored parameters by path.
    pub fn parameters(&self) -> &BTreeMap<String, Tensor> {
        &self.parameters
    }

    /// The number of steps done.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// The notes by name.
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    /// Writes the file, replacing an older one.
    ///
    /// The contents go to a temporary file in the same folder, to the disk, and only then under
    /// the name: whenever the machine stops, `path` is the whole old file or the whole new one.
    ///
    /// # Errors
    /// When the folder is missing or not writable, `path` is a folder, the disk is full, or candle
    /// fails. An older file is still there then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = format::encode(self)?;
        atomic::write(path, |file| std::io::Write::write_all(file, &bytes))
    }

    /// Reads a file that [`save`](Self::save) wrote, onto the CPU.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::Corrupt`] when it is cut off, damaged
    /// or not a checkpoint of ansatz.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        format::decode(&bytes).map_err(|reason| Error::Corrupt { path: path.to_owned(), reason })
    }

    /// Gives the stored values to the parameters. Optimiser state in the checkpoint is ignored.
    ///
    /// # Errors
    /// [`Error::Mismatch`] lists every path that is missing, unexpected, or of another shape or
    /// dtype. No parameter is changed then.
    pub fn restore(&self, parameters: &Parameters) -> Result<()> {
        let vars = parameters.read().clone();
        for (var, tensor) in pair("parameters", &vars, &self.parameters)?.values() {
            var.set(tensor)?;
        }
        Ok(())
    }

    /// Gives the stored values to the parameters and the stored state to the optimiser, so that
    /// training continues as if it had not been interrupted.
    ///
    /// # Errors
    /// [`Error::Mismatch`] as for [`restore`](Self::restore), and where the optimiser state does
    /// not fit or is missing. Nothing is changed then.
    pub fn restore_with(&self, parameters: &Parameters, optimizer: &mut impl Resume) -> Result<()> {
        let vars = parameters.read().clone();
        let pairs = pair("parameters", &vars, &self.parameters)?;
        optimizer.load_state(&self.optimizer)?;
        for (var, tensor) in pairs.values() {
            var.set(tensor)?;
        }
        Ok(())
    }
}
