//! The process, under the names that dashboards expect (Prometheus, "Process metrics"). Where there is no `/proc`, only
//! the start is told.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::clock::Timestamp;

/// What a second of `/proc/self/stat` is divided into: fixed for programs, whatever the kernel counts in (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// This process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) started: Timestamp,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name: &str, help: &str, value: i64| {
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        gauge("process_start_time_seconds", "Start of the process, since 1970", self.started.as_seconds())?;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let of_status = |name: &str| number_after(&status, name);
        if let Some(kibibytes) = of_status("VmRSS:") {
            gauge("process_resident_memory_bytes", "Memory that the process holds", kibibytes * 1024)?;
        }
        if let Some(kibibytes) = of_status("VmSize:") {
            gauge("process_virtual_memory_bytes", "Memory that the process has reserved", kibibytes * 1024)?;
        }
        if let Some(threads) = of_status("Threads:") {
            gauge("process_threads", "Threads of the process", threads)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            gauge("process_open_fds", "Open file descriptors", i64::try_from(open.count()).unwrap_or(i64::MAX))?;
        }
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        if let Some(most) = number_after(&limits, "Max open files") {
            gauge("process_max_fds", "The most file descriptors there may be", most)?;
        }
        if let Some(seconds) = cpu_seconds() {
            let help = "Processor time that the process used";
            let counter = encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(counter)?;
        }
        Ok(())
    }
}

/// The number that follows a name in a list of names and numbers.
fn number_after(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time. The process's name may hold blanks and ends with the last parenthesis (proc(5)).
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_measured() {
        let status = fs::read_to_string("/proc/self/status").unwrap();

        assert!(number_after(&status, "VmRSS:").unwrap() > 1000);
        assert!(number_after(&status, "Threads:").unwrap() >= 1);
        assert!(cpu_seconds().is_some());
        assert_eq!(number_after("Max open files            1024    4096   files", "Max open files"), Some(1024));
    }
}
