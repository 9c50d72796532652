//! File systems of some megabytes in memory, where one can be mounted: to be full, or to be read only.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Set in the process that was given a user namespace of its own, in which everybody may mount.
const INSIDE: &str = "DURABLE_TEST_MAY_MOUNT";

/// A file system, as long as this is there.
pub(super) struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    /// From now on nothing can be written to it.
    pub(super) fn make_read_only(&self) {
        assert!(succeeds(Command::new("mount").args(["-o", "remount,ro"]).arg(self.0)));
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Lazily: a process that is just being started beside this test may have it open for a moment.
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

/// Runs the test of this name on a file system of its own. Who may not mount tries it as the root of a namespace; where
/// that is forbidden too, nothing can be tested, and that is said where it is seen.
pub(super) fn on_a_small_disk(name: &str, megabytes: u32, test: impl FnOnce(&Path, &SmallDisk<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    if succeeds(&mut mount(folder.path(), megabytes)) {
        let disk = SmallDisk(folder.path());
        return test(folder.path(), &disk);
    }
    assert!(std::env::var_os(INSIDE).is_none(), "a file system can be mounted, and then it cannot");
    let mut namespace = Command::new("unshare");
    let mut can = Command::new("unshare");
    can.args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs"]).arg(folder.path());
    if succeeds(&mut can) {
        namespace.args(["--map-root-user", "--mount"]).arg(std::env::current_exe().unwrap());
        let ended = namespace.args(["--exact", "--nocapture", name]).env(INSIDE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(
            ended.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        return;
    }
    // Past the tests' own capture, which hides what a test that passes has said.
    let said = format!("SKIPPED: {name}: no file system can be mounted here, not even in a namespace of its own\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
}

fn mount(path: &Path, megabytes: u32) -> Command {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]).arg(path);
    mount
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
