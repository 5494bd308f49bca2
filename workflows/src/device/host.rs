//! What the checks ran on: the device, the machine, and what the program was built from.
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use candle_core::{Device, DeviceLocation};
use serde::{Deserialize, Serialize};

/// The device, as far as its maker's tool tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// As `--device` takes it: `cuda:0`.
    pub device: String,
    /// E.g. `NVIDIA H100 80GB HBM3`.
    pub name: Option<String>,
    /// Version of the driver.
    pub driver: Option<String>,
    /// E.g. `9.0`.
    pub compute_capability: Option<String>,
    /// Memory, with its unit.
    pub memory: Option<String>,
}

impl DeviceInfo {
    /// Asks `nvidia-smi` about a CUDA device; for others the processor.
    pub fn of(device: &Device) -> Self {
        match device.location() {
            DeviceLocation::Cpu => {
                Self { device: "cpu".into(), name: processor(), ..Self::default() }
            }
            DeviceLocation::Metal { gpu_id } => {
                Self { device: format!("metal:{gpu_id}"), name: processor(), ..Self::default() }
            }
            DeviceLocation::Cuda { gpu_id } => {
                let visible = env::var("CUDA_VISIBLE_DEVICES").ok();
                let identifier = visible_device(visible.as_deref(), gpu_id);
                let query = "--query-gpu=name,driver_version,compute_cap,memory.total";
                let words = ["-i", &identifier, query, "--format=csv,noheader"];
                let line = output("nvidia-smi", &words).unwrap_or_default();
                Self { device: format!("cuda:{gpu_id}"), ..Self::from_smi(&line) }
            }
        }
    }

    fn from_smi(line: &str) -> Self {
        let mut fields =
            line.lines().next().unwrap_or("").split(',').map(|f| f.trim().to_owned()).map(Some);
        let mut next = || fields.next().flatten().filter(|f| !f.is_empty());
        Self {
            device: String::new(),
            name: next(),
            driver: next(),
            compute_capability: next(),
            memory: next(),
        }
    }
}

/// What `nvidia-smi` calls the device that CUDA counts as `ordinal`: a scheduler may show only some.
fn visible_device(visible: Option<&str>, ordinal: usize) -> String {
    let listed = visible.and_then(|list| list.split(',').nth(ordinal));
    listed.map_or_else(|| ordinal.to_string(), |name| name.trim().to_owned())
}

/// The machine on whose CPU the references and the CPU timings are computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostInfo {
    /// Model of the processor.
    pub processor: Option<String>,
    /// Threads that candle uses.
    pub threads: usize,
    /// Architecture and operating system.
    pub system: String,
}

impl HostInfo {
    /// This machine.
    pub fn here() -> Self {
        Self {
            processor: processor(),
            threads: candle_core::utils::get_num_threads(),
            system: format!("{} {}", env::consts::ARCH, env::consts::OS),
        }
    }
}

fn processor() -> Option<String> {
    let from_proc = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|l| l.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    from_proc.or_else(|| output("sysctl", &["-n", "machdep.cpu.brand_string"]))
}

fn output(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// What the bundle was built from: `manifest.json` beside the program, where there is one.
pub fn build_manifest() -> Option<serde_json::Value> {
    manifest_in(env::current_exe().ok()?.parent()?)
}

fn manifest_in(folder: &Path) -> Option<serde_json::Value> {
    serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_nvidia_smi_is_taken_apart() {
        let info = DeviceInfo::from_smi("NVIDIA H100 80GB HBM3, 580.65.06, 9.0, 81559 MiB\n");
        assert_eq!(info.name.as_deref(), Some("NVIDIA H100 80GB HBM3"));
        assert_eq!(info.driver.as_deref(), Some("580.65.06"));
        assert_eq!(info.compute_capability.as_deref(), Some("9.0"));
        assert_eq!(info.memory.as_deref(), Some("81559 MiB"));
        assert_eq!(DeviceInfo::from_smi(""), DeviceInfo::default());
    }

    #[test]
    fn a_scheduler_may_hide_devices() {
        assert_eq!(visible_device(None, 1), "1");
        assert_eq!(visible_device(Some("3, 5"), 1), "5");
        assert_eq!(visible_device(Some("GPU-8a5c"), 0), "GPU-8a5c");
    }

    #[test]
    fn a_manifest_that_is_absent_or_broken_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(manifest_in(folder.path()), None);
        fs::write(folder.path().join("manifest.json"), "{").unwrap();
        assert_eq!(manifest_in(folder.path()), None);
        fs::write(folder.path().join("manifest.json"), "{\"cuda\":\"13.0\"}").unwrap();
        assert_eq!(manifest_in(folder.path()).unwrap()["cuda"], "13.0");
    }

    #[test]
    fn the_cpu_has_no_driver() {
        let info = DeviceInfo::of(&Device::Cpu);
        assert_eq!((info.device.as_str(), info.driver), ("cpu", None));
        assert!(HostInfo::here().threads > 0);
    }
}
