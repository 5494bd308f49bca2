//! The half of `cargo xtask doctor` that needs candle: devices, compiled features, data.
use ansatz::data::{DataDir, Dataset};
use candle_core::Device;
use candle_core::utils::{
    cuda_is_available, get_num_threads, has_accelerate, has_mkl, metal_is_available,
};

/// Title of a section and its rows, each a name and what was found.
pub type Section = (&'static str, Vec<(String, String)>);

/// Everything that was found.
pub fn report() -> Vec<Section> {
    vec![("candle", candle()), ("devices", devices()), ("data", data(&DataDir::from_env()))]
}

fn candle() -> Vec<(String, String)> {
    let backends = [
        ("cuda", cuda_is_available()),
        ("metal", metal_is_available()),
        ("accelerate", has_accelerate()),
        ("mkl", has_mkl()),
    ];
    let compiled: Vec<&str> =
        backends.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    let compiled = if compiled.is_empty() { "none".into() } else { compiled.join(" ") };
    vec![
        ("features compiled in".into(), compiled),
        ("threads it will use".into(), get_num_threads().to_string()),
    ]
}

/// Each kind of device, opened where its support is compiled in.
fn devices() -> Vec<(String, String)> {
    let state = |compiled: bool, feature: &str, open: fn(usize) -> candle_core::Result<Device>| {
        if !compiled {
            return format!("not compiled in (cargo xtask doctor --features {feature})");
        }
        match open(0) {
            Ok(_) => "opens".into(),
            // The first line: the rest may be a backtrace.
            Err(error) => {
                let text = error.to_string();
                format!("does not open: {}", text.lines().next().unwrap_or_default())
            }
        }
    };
    vec![
        ("CPU".into(), "always".into()),
        ("CUDA 0".into(), state(cuda_is_available(), "cuda", Device::new_cuda)),
        ("Metal 0".into(), state(metal_is_available(), "metal", Device::new_metal)),
    ]
}

fn data(dir: &DataDir) -> Vec<(String, String)> {
    let (here, absent): (Vec<_>, Vec<_>) = Dataset::all().partition(|d| d.is_available(dir));
    let names = |sets: &[&Dataset]| {
        let names: Vec<&str> = sets.iter().map(|d| d.name).collect();
        if names.is_empty() { "none".into() } else { names.join(" ") }
    };
    vec![
        (DataDir::VARIABLE.into(), crate::data::folder(dir)),
        (format!("here ({})", here.len()), names(&here)),
        (format!("absent ({})", absent.len()), names(&absent)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_compiled_in_says_how_to_get_it() {
        let rows = devices();
        let row = |name: &str| &rows.iter().find(|(n, _)| n == name).unwrap().1;
        assert_eq!(row("CPU"), "always");
        assert_eq!(row("CUDA 0").contains("--features cuda"), !cuda_is_available());
        assert_eq!(row("Metal 0").contains("--features metal"), !metal_is_available());
    }

    #[test]
    fn bundled_data_are_here_without_a_folder() {
        let rows = data(&DataDir::bundled_only());
        let bundled = Dataset::all().filter(|d| d.is_bundled()).count();
        assert!(bundled > 0);
        assert_eq!(rows[1].0, format!("here ({bundled})"));
        assert_eq!(rows[2].0, format!("absent ({})", Dataset::all().count() - bundled));
    }
}
