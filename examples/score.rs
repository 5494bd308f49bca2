//! Forecast scores and the simple forecasts that a model has to beat.

use ansatz::core::{Result, candle::Tensor};

/// Root mean square of the difference of two tensors `[times, species]` of logarithms, for each
/// species: 0.1 is an error of about ten per cent.
///
/// # Errors
/// When the shapes differ.
pub fn log_rmse(predicted: &Tensor, observed: &Tensor) -> Result<Vec<f64>> {
    Ok((predicted - observed)?.sqr()?.mean(0)?.sqrt()?.to_vec1()?)
}

/// The last state of `history` `[times, species]`, `count` times over.
///
/// # Errors
/// When the history is empty.
pub fn persistence(history: &Tensor, count: usize) -> Result<Tensor> {
    repeated(&history.get(history.dim(0)? - 1)?, count)
}

/// The mean of `history` `[times, species]`, `count` times over.
///
/// # Errors
/// When the history is empty.
pub fn climatology(history: &Tensor, count: usize) -> Result<Tensor> {
    repeated(&history.mean(0)?, count)
}

/// The states one `period` earlier, for the next `count ≤ period` times.
///
/// # Errors
/// When the history is shorter than the period, or the period shorter than `count`.
pub fn last_cycle(history: &Tensor, period: usize, count: usize) -> Result<Tensor> {
    let start = history.dim(0)?.checked_sub(period).filter(|_| count <= period);
    let Some(start) = start else {
        let expected = "between the forecast and the history in length";
        return Err(ansatz::core::Error::invalid("period", period, expected));
    };
    Ok(history.narrow(0, start, count)?)
}

fn repeated(state: &Tensor, count: usize) -> Result<Tensor> {
    Ok(state.unsqueeze(0)?.repeat((count, 1))?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // also in the helpers of the tests
mod tests {
    use super::*;
    use ansatz::core::candle::Device;

    fn rows<const N: usize>(values: &[[f64; 2]; N]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap()
    }

    #[test]
    fn scores_are_root_mean_squares_by_species() {
        let score = log_rmse(&rows(&[[1.0, 0.0], [1.0, 3.0]]), &rows(&[[0.0, 0.0], [2.0, -1.0]]));
        assert_eq!(score.unwrap(), [1.0, 8f64.sqrt()]);
    }

    #[test]
    fn simple_forecasts() {
        let history = rows(&[[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]]);
        let values = |t: Result<Tensor>| t.unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(values(persistence(&history, 2)), [[4.0, 8.0], [4.0, 8.0]]);
        assert_eq!(values(climatology(&history, 1)), [[2.0, 4.0]]);
        assert_eq!(values(last_cycle(&history, 3, 2)), [[0.0, 1.0], [2.0, 3.0]]);
        for (period, count) in [(4, 2), (2, 3)] {
            let error = last_cycle(&history, period, count).unwrap_err();
            assert!(matches!(error, ansatz::core::Error::InvalidArgument { what: "period", .. }));
        }
    }
}
