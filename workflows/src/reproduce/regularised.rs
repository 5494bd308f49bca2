//! What `blackbox-reg` and `local-reg` share: a small neural ODE that classifies digits, trained side by
//! side with and without regularisers made of the solver's own estimates.
mod compare;
mod data;
mod model;

pub(super) use compare::{Comparison, Contender, Figures, plot};
pub(super) use data::Images;
use model::Classifier;
pub(super) use model::Regulariser;

/// The weight of the error estimates in the loss, chosen on other seeds than those of the entries.
pub(super) const WEIGHT: f64 = 0.01;

#[cfg(test)]
mod tests {
    use ansatz::core::Key;
    use ansatz::ode::Direct;
    use candle_core::{DType, Device, Tensor};

    use super::*;

    /// Twelve images of six pixels, the class of image i being i modulo 3.
    fn images() -> Images {
        let pixels = Key::new(1).uniform_tensor((12, 6), 0.0, 1.0, DType::F64, &Device::Cpu);
        let classes: Vec<u32> = (0..12).map(|i| i % 3).collect();
        Images { pixels: pixels.unwrap(), classes: Tensor::new(classes, &Device::Cpu).unwrap() }
    }

    fn tiny() -> Comparison {
        Comparison {
            seeds: 2,
            steps: 40,
            batch: 4,
            test: 3,
            features: 4,
            hidden: 8,
            rate: 0.05,
            tolerance: 1e-6,
        }
    }

    #[test]
    fn every_image_is_in_one_part_with_its_class() {
        let all = images();
        let rows = |part: &Images| {
            let pixels = part.pixels.to_vec2::<f64>().unwrap();
            let classes = part.classes.to_vec1::<u32>().unwrap();
            pixels.into_iter().zip(classes).collect::<Vec<_>>()
        };
        let [rest, test] = all.split(3, &Key::new(2)).unwrap();
        assert_eq!([rest.len(), test.len(), rest.batch(5, &Key::new(3)).unwrap().len()], [9, 3, 5]);
        let parts = [rows(&rest), rows(&test)].concat();
        assert!(rows(&all).iter().all(|row| parts.iter().filter(|p| *p == row).count() == 1));
        assert!(all.split(12, &Key::new(2)).is_err());
    }

    #[test]
    fn the_expected_local_estimate_is_the_sum_over_the_steps() {
        let trainee = tiny().trainee(6, Regulariser::None, &Key::new(4)).unwrap();
        let term = |regulariser, key: &Key| {
            let value = |r| {
                let loss = trainee.model.loss(&images(), r, Direct, key).unwrap().value;
                loss.to_scalar::<f64>().unwrap()
            };
            value(regulariser) - value(Regulariser::None)
        };
        let key = Key::new(5);
        let global = term(Regulariser::Error(2.0), &key);
        let count = 150;
        let draws: Vec<f64> =
            (0..count).map(|i| term(Regulariser::LocalUnbiased(2.0), &key.fold_in(i))).collect();
        let mean = draws.iter().sum::<f64>() / count as f64;
        let square = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / count as f64;
        assert!(square > 0.0, "the place is not drawn");
        assert!((mean - global).abs() < 4.0 * (square / count as f64).sqrt(), "{mean} {global}");
        // Twice the mean of the same steps, each as likely as any other, is another number, but not
        // a sum over them.
        let biased = term(Regulariser::LocalBiased(2.0), &key);
        assert!(biased > 0.0 && draws.iter().any(|d| (d - biased).abs() < 1e-9 * biased));
        assert!(term(Regulariser::Stiffness(1.0), &key) > 0.0);
    }

    #[test]
    fn training_learns_and_the_regularisers_are_reported_side_by_side() {
        let contenders = [
            ("plain", Regulariser::None),
            ("error", Regulariser::Error(0.1)),
            ("stiffness", Regulariser::Stiffness(0.001)),
            ("local", Regulariser::LocalBiased(0.1)),
        ];
        let comparison = tiny();
        let all = comparison.run(&images(), &contenders, &Key::new(6)).unwrap();
        assert_eq!(all.iter().map(|f| f.name).collect::<Vec<_>>(), contenders.map(|c| c.0));
        for figures in &all {
            assert_eq!([figures.evaluations.len(), figures.accuracy.len()], [2, 2]);
            assert!(figures.course.iter().all(|count| *count >= 8.0));
        }
        let last = |i: usize| all[i].course[39];
        assert!(last(1) < last(0) && last(3) < last(0), "{} {} {}", last(0), last(1), last(3));

        let key = Key::new(7);
        let mut trainee = comparison.trainee(6, Regulariser::Error(0.01), &key).unwrap();
        let value = |t: &compare::Trainee| {
            let loss = t.model.loss(&images(), t.regulariser, Direct, &key).unwrap().value;
            loss.to_scalar::<f64>().unwrap()
        };
        let before = value(&trainee);
        for _ in 0..40 {
            trainee.step(&images(), 0.02, &key).unwrap();
        }
        let after = value(&trainee);
        assert!(after < 0.8 * before, "{before} {after}");
    }
}
