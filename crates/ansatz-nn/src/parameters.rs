//! The ordered, seeded store of trainable parameters: [`Parameters`].

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use ansatz_core::{Key, supports_dtype};
use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::{Init, VarBuilder, init::NormalOrUniform, var_builder::SimpleBackend};

use crate::{Error, Result};

/// The parameters of a model by path, in the order of their paths.
///
/// What candle's `VarMap` is, with two differences: the order of [`vars`](Self::vars) is always
/// the same (byte order of the paths), and each parameter is drawn from the key folded with its
/// path. The same key therefore gives the same model on every device, and adding a layer does not
/// change the initial values of the others.
///
/// A clone is another handle to the same parameters.
///
/// # Example
/// ```
/// use ansatz_core::{Key, Module, candle::{DType, Device, Tensor}};
/// use ansatz_nn::{Linear, Parameters};
///
/// # fn main() -> ansatz_nn::Result<()> {
/// let parameters = Parameters::new(Key::new(0), DType::F32, &Device::Cpu)?;
/// let layer = Linear::new(2, 3, parameters.builder().pp("layer"))?;
/// assert_eq!(parameters.names(), ["layer.bias", "layer.weight"]);
/// assert_eq!(parameters.count(), 9);
///
/// let x = Tensor::zeros((5, 2), DType::F32, &Device::Cpu)?;
/// assert_eq!(layer.forward(&x)?.dims(), [5, 3]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Parameters(Arc<Store>);

struct Store {
    key: Key,
    dtype: DType,
    device: Device,
    vars: RwLock<BTreeMap<String, Var>>,
}

impl Parameters {
    /// An empty store. Parameters are made when a layer asks for them through the
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    /// When `dtype` is no floating-point type or one that `device` cannot compute with.
    pub fn new(key: Key, dtype: DType, device: &Device) -> Result<Self> {
        check_float(dtype, device)?;
        let vars = RwLock::default();
        Ok(Self(Arc::new(Store { key, dtype, device: device.clone(), vars })))
    }

    /// The builder that candle's layers and those of this crate take. Its `get_with_hints` makes
    /// a parameter, or returns the one that is already stored under the path.
    pub fn builder(&self) -> VarBuilder<'static> {
        let backend: Box<dyn SimpleBackend> = Box::new(self.clone());
        VarBuilder::new_with_args(backend, self.0.dtype, &self.0.device)
    }

    /// The dtype of new parameters.
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// The device of the parameters.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// All parameters, in the order of their paths.
    pub fn vars(&self) -> Vec<Var> {
        self.read().values().cloned().collect()
    }

    /// The paths of all parameters, in the order of [`vars`](Self::vars).
    pub fn names(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// The parameter at `path`, if there is one.
    pub fn get(&self, path: &str) -> Option<Var> {
        self.read().get(path).cloned()
    }

    /// The number of scalars in all parameters.
    pub fn count(&self) -> usize {
        self.read().values().map(|v| v.elem_count()).sum()
    }

    /// A copy of all parameters as one vector `[count]`, in the order of their paths.
    ///
    /// # Errors
    /// When there are no parameters, they have different dtypes, or candle fails.
    pub fn flatten(&self) -> Result<Tensor> {
        let parts = self
            .read()
            .values()
            .map(|v| v.as_tensor().detach().flatten_all())
            .collect::<candle_core::Result<Vec<_>>>()?;
        if parts.is_empty() {
            return Err(Error::invalid("parameters to flatten", "none", "at least one"));
        }
        // `cat` of a single tensor is that tensor, whose storage the parameter would share.
        Ok(Tensor::cat(&parts, 0)?.copy()?)
    }

    /// Sets all parameters from one vector `[count]`, the inverse of [`flatten`](Self::flatten).
    /// Nothing is changed unless everything fits.
    ///
    /// # Errors
    /// When the length or the dtype differs, or candle fails.
    pub fn set_from_flat(&self, flat: &Tensor) -> Result<()> {
        let vars = self.vars();
        let count = vars.iter().map(|v| v.elem_count()).sum::<usize>();
        if flat.dims() != [count] {
            return Err(ansatz_core::Error::Shape {
                what: "flat parameters",
                expected: format!("[{count}]"),
                got: format!("{:?}", flat.dims()),
            }
            .into());
        }
        let mut parts = Vec::with_capacity(vars.len());
        let mut start = 0;
        for var in &vars {
            let part = flat.narrow(0, start, var.elem_count())?.reshape(var.shape())?;
            ansatz_ops::check_like("flat parameters", var, &part)?;
            parts.push(part);
            start += var.elem_count();
        }
        for (var, part) in vars.iter().zip(&parts) {
            var.set(part)?;
        }
        Ok(())
    }

    /// The stored map, also after a panic in another thread: no operation leaves it half changed.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Var>> {
        self.0.vars.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn get_or_make(
        &self,
        path: &str,
        shape: Shape,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let mut vars = self.0.vars.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(var) = vars.get(path) {
            let like =
                var.shape() == &shape && var.dtype() == dtype && var.device().same_device(device);
            return if like {
                Ok(var.as_tensor().clone())
            } else {
                let stored = describe(var.shape(), var.dtype(), var.device());
                let asked = describe(&shape, dtype, device);
                Err(Error::ParameterMismatch { path: path.to_owned(), stored, asked })
            };
        }
        let value = draw(&self.0.key.fold_in_str(path), shape, init, dtype, device)?;
        let var = Var::from_tensor(&value)?;
        let tensor = var.as_tensor().clone();
        vars.insert(path.to_owned(), var);
        Ok(tensor)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vars = self.read();
        f.debug_map()
            .entries(vars.iter().map(|(path, v)| (path, (v.dims().to_vec(), v.dtype()))))
            .finish()
    }
}

impl SimpleBackend for Parameters {
    fn get(
        &self,
        shape: Shape,
        path: &str,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        Ok(self.get_or_make(path, shape, init, dtype, device)?)
    }

    /// Without a shape nothing can be made, so this finds stored parameters only.
    fn get_unchecked(
        &self,
        path: &str,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let Some(var) = Parameters::get(self, path) else {
            let known = self.names().join(", ");
            return Err(Error::UnknownParameter { path: path.to_owned(), known }.into());
        };
        // Only checks dtype and device, the shape being its own.
        Ok(self.get_or_make(path, var.shape().clone(), Init::Const(0.0), dtype, device)?)
    }

    fn contains_tensor(&self, path: &str) -> bool {
        self.read().contains_key(path)
    }
}

/// candle's initialisations from a key; candle itself draws from a generator without a seed.
fn draw(key: &Key, shape: Shape, init: Init, dtype: DType, device: &Device) -> Result<Tensor> {
    check_float(dtype, device)?;
    let constant = |value: f64, shape: Shape| -> Result<Tensor> {
        let number = Tensor::new(value, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?;
        Ok(number.broadcast_as(shape)?.contiguous()?)
    };
    let uniform = |lo: f64, up: f64, shape: Shape| -> Result<Tensor> {
        if lo == up {
            return constant(lo, shape);
        }
        Ok(key.uniform_tensor(shape, lo, up, dtype, device)?)
    };
    match init {
        Init::Const(value) => constant(value, shape),
        Init::Randn { mean, stdev } => Ok(key.normal_tensor(shape, mean, stdev, dtype, device)?),
        Init::Uniform { lo, up } => uniform(lo, up, shape),
        Init::Kaiming { dist, fan, non_linearity } => {
            let std = non_linearity.gain() / (fan.for_shape(&shape) as f64).sqrt();
            match dist {
                NormalOrUniform::Uniform => {
                    let bound = 3f64.sqrt() * std;
                    uniform(-bound, bound, shape)
                }
                NormalOrUniform::Normal => Ok(key.normal_tensor(shape, 0.0, std, dtype, device)?),
            }
        }
    }
}

fn check_float(dtype: DType, device: &Device) -> Result<()> {
    supports_dtype(device, dtype)?;
    if dtype.is_float() {
        return Ok(());
    }
    Err(Error::invalid("dtype of parameters", dtype.as_str(), "f64, f32, bf16 or f16"))
}

/// Shape, dtype and device for a message.
fn describe(shape: &Shape, dtype: DType, device: &Device) -> String {
    format!("{:?} {} on {:?}", shape.dims(), dtype.as_str(), device.location())
}
