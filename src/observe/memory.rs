//! The memory that the process holds, and the most it may hold: what its container allows, else what the machine has.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::health::{Finding, Status};

/// Where Linux tells about control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// Memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the process holds.
    pub used: u64,
    /// The most it may.
    pub limit: u64,
}

impl Memory {
    /// The memory of this process; `None` where the system does not tell, which only Linux does.
    pub fn of_process() -> Option<Self> {
        let used = kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")?;
        let machine = kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let limit = group_limit(Path::new(GROUPS), &groups).map_or(machine, |limit| limit.min(machine));
        Some(Self { used, limit })
    }

    /// How it is when at most `most` percent should be used.
    pub fn judged(self, most: u64) -> Finding {
        // The system ends a process that reaches its limit, and all its requests with it.
        if u128::from(self.used) * 100 <= u128::from(self.limit) * u128::from(most) {
            return Finding::HEALTHY;
        }
        Finding::new(
            Status::Degraded,
            json!({
                "reason": "the process uses almost all the memory it may have; give it more, or find out what holds it",
                "used_bytes": self.used,
                "limit_bytes": self.limit,
            }),
        )
    }
}

/// The number of KiB after a name, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The least limit of the groups that a process is in: its own and all around it. `groups` is `/proc/self/cgroup`.
fn group_limit(root: &Path, groups: &str) -> Option<u64> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (top, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            all if all.split(',').any(|one| one == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        // In a container the path may be the host's, of which only the top is there.
        let own = PathBuf::from(path.trim_start_matches('/'));
        files.extend(own.ancestors().map(|group| top.join(group).join(file)));
    }
    let limits = files.iter().filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_degrades_when_little_is_left() {
        let memory = |used| Memory { used, limit: 1000 }.judged(90);

        assert_eq!(memory(900), Finding::HEALTHY);
        assert_eq!(memory(901).status, Status::Degraded);
        assert_eq!(memory(901).details.unwrap()["limit_bytes"], 1000);
    }

    #[test]
    fn the_least_limit_of_all_groups_around_the_process_holds() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("system.slice/mindflow.service");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("memory.max"), "max\n").unwrap();
        fs::write(root.path().join("system.slice/memory.max"), "2000\n").unwrap();
        fs::write(root.path().join("memory.max"), "3000\n").unwrap();

        assert_eq!(group_limit(root.path(), "0::/system.slice/mindflow.service\n"), Some(2000));
        assert_eq!(group_limit(root.path(), "0::/gone/elsewhere\n"), Some(3000));
        assert_eq!(group_limit(root.path(), ""), None);
    }

    #[test]
    fn the_first_version_of_control_groups_is_understood() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("memory/docker/abc")).unwrap();
        fs::write(root.path().join("memory/docker/abc/memory.limit_in_bytes"), "4096\n").unwrap();

        assert_eq!(group_limit(root.path(), "5:cpu:/x\n4:hugetlb,memory:/docker/abc\n"), Some(4096));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_of_this_process_is_measured() {
        let memory = Memory::of_process().unwrap();

        assert!(memory.used > 1024 * 1024 && memory.used < memory.limit, "{memory:?}");
    }
}
