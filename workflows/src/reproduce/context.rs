//! What an entry is told, and where it puts its plots.
use std::cell::RefCell;
use std::path::PathBuf;

/// Size of the run and place for plots.
#[derive(Debug)]
pub struct Context {
    full: bool,
    folder: PathBuf,
    plots: RefCell<Vec<PathBuf>>,
}

impl Context {
    /// For a run whose plots go into `folder`.
    pub fn new(full: bool, folder: PathBuf) -> Self {
        Self { full, folder, plots: RefCell::default() }
    }

    /// Whether to run at the paper's size instead of one for this machine.
    pub fn full(&self) -> bool {
        self.full
    }

    /// The file to draw a plot into; it will be named in the record.
    pub fn plot(&self, file_name: &str) -> PathBuf {
        let path = self.folder.join(file_name);
        self.plots.borrow_mut().push(path.clone());
        path
    }

    /// The plots asked for so far.
    pub fn plots(&self) -> Vec<PathBuf> {
        self.plots.borrow().clone()
    }
}
