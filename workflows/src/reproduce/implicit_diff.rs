//! M. Blondel, Q. Berthet, M. Cuturi, R. Frostig, S. Hoyer, F. Llinares-López, F. Pedregosa, J.-P. Vert,
//! *Efficient and Modular Implicit Differentiation* (NeurIPS 2022, arXiv:2105.15183).
//!
//! Four claims: the Jacobian by the implicit function theorem is nearer to the true one than that of the
//! unrolled iterations; hyper-parameters of a support vector machine, and whole data sets, can be
//! optimised through the solution of the inner problem, faster than through its tape; the sensitivity of
//! a packing of soft particles comes out right where an optimiser has stopped.
mod distillation;
mod packing;
mod ridge;
mod svm;

use ansatz::data::{DataDir, Dataset};
use candle_core::{DType, Device, Tensor};

use super::{Claim, Context, Entry};
use crate::AnyError;

/// The entry `implicit-diff`.
#[derive(Debug)]
pub(super) struct ImplicitDiff;

impl Entry for ImplicitDiff {
    fn slug(&self) -> &'static str {
        "implicit-diff"
    }

    fn title(&self) -> &'static str {
        "Efficient and Modular Implicit Differentiation"
    }

    fn run(&self, context: &Context) -> Result<Vec<Claim>, AnyError> {
        let digits = Digits::load()?;
        let mut claims = vec![ridge::claim(context, &digits)?];
        claims.extend(svm::claims(context, &digits)?);
        claims.extend(distillation::claims(context, &digits)?);
        claims.push(packing::claim(context)?);
        Ok(claims)
    }
}

/// Handwritten digits of 8 × 8 pixels.
struct Digits {
    /// `[n, 64]`, from 0 to 1.
    images: Tensor,
    labels: Vec<u8>,
}

impl Digits {
    fn load() -> Result<Self, AnyError> {
        let arrays = Dataset::find("digits")?.open(&DataDir::from_env())?.arrays()?;
        let images = arrays.get("images", &Device::Cpu)?.to_dtype(DType::F64)?;
        let labels = arrays.get("y", &Device::Cpu)?.to_vec1::<u8>()?;
        Ok(Self { images: (images.flatten_from(1)? / 16.0)?, labels })
    }

    /// Images and labels as rows of zeros with a one, of `count` digits from `start` on.
    fn part(&self, start: usize, count: usize) -> Result<(Tensor, Tensor), AnyError> {
        let one = |label: &u8| (0..10).map(|k| f64::from(k == *label)).collect::<Vec<_>>();
        let labels: Vec<f64> = self.labels[start..start + count].iter().flat_map(one).collect();
        let images = self.images.narrow(0, start, count)?;
        Ok((images, Tensor::from_vec(labels, (count, 10), &Device::Cpu)?))
    }
}

fn scalar(t: &Tensor) -> Result<f64, AnyError> {
    Ok(t.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?)
}

fn norm(t: &Tensor) -> Result<f64, AnyError> {
    Ok(scalar(&t.sqr()?)?.sqrt())
}
