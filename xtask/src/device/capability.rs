//! The compute capability that the kernels are compiled for.
use std::fmt;
use std::str::FromStr;

/// As NVIDIA numbers its architectures: 80 is 8.0.
///
/// candle's build takes one. Up to 89 its kernels are portable intermediate code, which the driver
/// of every later GPU translates when the program starts; from 90 on the build asks for the
/// variant of that one architecture (`sm_90a`), which runs nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capability(u16);

/// CUDA 13 dropped what is older.
const OLDEST: u16 = 75;

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = match text.split_once('.') {
            Some((major, minor)) => format!("{major}{minor}"),
            None => text.to_owned(),
        };
        match digits.parse() {
            Ok(n) if (OLDEST..1000).contains(&n) => Ok(Self(n)),
            _ => Err(format!(
                "{text:?} is not a compute capability of CUDA 13: one number from {OLDEST} on, \
                 such as 80 (A100) or 90 (H100)"
            )),
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_with_or_without_a_point() {
        for text in ["80", "8.0"] {
            assert_eq!(text.parse::<Capability>().unwrap().to_string(), "80");
        }
        assert_eq!("12.0".parse::<Capability>().unwrap().to_string(), "120");
    }

    #[test]
    fn lists_names_and_old_ones_are_refused() {
        for text in ["80;90", "80,90", "sm_80", "70", "8", "", "8.0.0"] {
            let message = text.parse::<Capability>().unwrap_err();
            assert!(message.contains("such as 80"), "{message}");
        }
    }
}
