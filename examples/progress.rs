//! Progress bars: [`Bar`].

use std::time::Duration;

use ansatz::core::{Progress, ProgressEvent};
use indicatif::{ProgressBar, ProgressStyle};

/// Shows reports as a bar on the terminal, with the loss and the time that is left. Nothing is
/// shown where the output is no terminal. The bar disappears when it is dropped.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar that waits for its first report.
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        let template = "{prefix:>24} {bar:30} {pos}/{len}  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn report(&self, event: &ProgressEvent) {
        // The terminal is redrawn a few times a second whatever comes in; texts are made anew
        // only when they change.
        if self.0.prefix() != event.label {
            self.0.set_prefix(event.label.to_owned());
            self.0.reset();
        }
        if let Some(total) = event.total {
            self.0.set_length(total);
        }
        if let Some(loss) = event.loss {
            self.0.set_message(format!("loss {loss:.5}"));
        }
        self.0.set_position(event.step);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_follows_the_reports() {
        let bar = Bar::new();
        bar.report(&ProgressEvent::new("train", 3).of(10).with_loss(0.25));
        assert_eq!((bar.0.position(), bar.0.length()), (3, Some(10)));
        assert_eq!(bar.0.message(), "loss 0.25000");
        bar.report(&ProgressEvent::new("another", 1).of(5));
        assert_eq!((bar.0.position(), bar.0.prefix().as_str()), (1, "another"));
    }
}
