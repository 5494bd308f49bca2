//! Files that are written wholly or not at all.

use std::{fs::File, io, path::Path};

use crate::{Error, Result};

/// Writes a file by way of a temporary file in the same folder, which takes the name of `path`
/// once its contents are on the disk. On an error the temporary file is removed, and what was at
/// `path` before is still there.
pub(super) fn write(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ansatz-").suffix(".tmp");
    // Temporary files are private by default; a checkpoint is as open as the umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file =
        builder.tempfile_in(folder).map_err(Error::io("make a temporary file in", folder))?;
    fill(file.as_file_mut())
        .and_then(|()| file.as_file().sync_all())
        .map_err(Error::io("write", file.path()))?;
    file.persist(path).map_err(|e| Error::io("replace", path)(e.error))?;
    // The new name is in the folder, which has to reach the disk as well. Elsewhere than on Unix
    // folders cannot be opened, and the rename is durable by itself.
    #[cfg(unix)]
    File::open(folder).and_then(|f| f.sync_all()).map_err(Error::io("write to disk", folder))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, |f| f.write_all(b"old")).unwrap();
        let failed = write(&path, |f| {
            f.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(failed, Err(Error::Io { action: "write", .. })), "{failed:?}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["file"]);
        write(&path, |f| f.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["file"]);
    }

    /// While the file is being written, the old one is what readers see: what a crash would leave.
    #[test]
    fn the_old_file_is_there_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, |f| f.write_all(b"old")).unwrap();
        write(&path, |f| {
            f.write_all(b"half of the new")?;
            f.sync_all()?;
            assert_eq!(std::fs::read(&path)?, b"old");
            f.write_all(b" one")
        })
        .unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"half of the new one");
    }

    #[cfg(unix)]
    #[test]
    fn files_are_not_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
        write(&ours, |_| Ok(())).unwrap();
        File::create(&usual).unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
