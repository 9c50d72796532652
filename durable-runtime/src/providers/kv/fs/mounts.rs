//! On what kind of file system a folder is.

use std::path::{Path, PathBuf};

/// File systems of other machines: a lock may hold for this machine alone, and `fsync` may promise less than it says.
const NETWORK: [&str; 21] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse.ceph",
    "fuse.davfs2",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
    "virtiofs",
];

/// The kind of the network file system that this folder is on, as far as the system says so.
pub(super) fn network_file_system(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let folder = folder.canonicalize().ok()?;
    let kind = kind_of(&folder, &mounts)?;
    NETWORK.contains(&kind.as_str()).then_some(kind)
}

/// The kind of the file system of a folder, by the text of `/proc/mounts`.
fn kind_of(folder: &Path, mounts: &str) -> Option<String> {
    let mount = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        Some((PathBuf::from(unescape(fields.next()?)), fields.next()?.to_owned()))
    };
    let above = mounts.lines().filter_map(mount).filter(|(at, _)| folder.starts_with(at));
    // Of two mounts at one place the later one is seen.
    above.max_by_key(|(at, _)| at.components().count()).map(|(_, kind)| kind)
}

/// Blanks and the like stand as `\040`.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(byte) => {
                plain.push(byte);
                plain.extend(part.bytes().skip(3));
            }
            None => {
                plain.push(b'\\');
                plain.extend(part.bytes());
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/vda / ext4 rw 0 0\nserver:/x /mnt/far nfs4 rw 0 0\n/dev/vdb /mnt/far/near xfs rw 0 0\n\
                          tmpfs /mnt/a\\040b tmpfs rw 0 0\n//s/c /mnt/over cifs rw 0 0\n/dev/vdc /mnt/over ext4 rw 0 0\n";

    #[test]
    fn the_nearest_and_latest_mount_counts() {
        let kind = |path: &str| kind_of(Path::new(path), MOUNTS);
        assert_eq!(kind("/home/orders").as_deref(), Some("ext4"));
        assert_eq!(kind("/mnt/far/orders").as_deref(), Some("nfs4"));
        assert_eq!(kind("/mnt/farther").as_deref(), Some("ext4"));
        assert_eq!(kind("/mnt/far/near/orders").as_deref(), Some("xfs"));
        assert_eq!(kind("/mnt/a b/orders").as_deref(), Some("tmpfs"));
        assert_eq!(kind("/mnt/over").as_deref(), Some("ext4"));
        assert_eq!(kind_of(Path::new("/x"), ""), None);
    }

    #[test]
    fn file_systems_of_this_machine_are_fine() {
        assert!(["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs"].iter().all(|kind| !NETWORK.contains(kind)));
        assert!(NETWORK.is_sorted());
    }
}
