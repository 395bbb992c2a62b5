//! The two formats in which Prometheus reads metrics.

use std::fmt::Write;

/// How metrics are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, for who asks for it.
    OpenMetrics,
    /// Prometheus's own text format, for everybody else.
    Classic,
}

impl Format {
    /// What a client with this `Accept` header gets: OpenMetrics only if it is named.
    pub fn wanted(accept: Option<&str>) -> Self {
        match accept {
            Some(accept) if accept.contains("application/openmetrics-text") => Self::OpenMetrics,
            _ => Self::Classic,
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Rewrites OpenMetrics in the classic format, whose families are called as their samples are: a counter's name ends in
/// `_total` and an info's in `_info`, there are no units, and the end is not marked.
pub(super) fn classic(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            let words = help.strip_prefix(name).unwrap_or_default();
            // Writing to a string does not fail.
            let _ = write!(out, "# HELP {name}{suffix}{words}\n# TYPE {name}{suffix} {kind}\n");
        } else if !line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_who_names_it() {
        let scraper = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

        assert_eq!(Format::wanted(Some(scraper)), Format::OpenMetrics);
        assert_eq!(Format::wanted(Some("*/*")), Format::Classic);
        assert_eq!(Format::wanted(None), Format::Classic);
    }

    #[test]
    fn the_classic_format_names_families_as_their_samples() {
        let open = "# HELP a Things.\n# TYPE a counter\na_total{b=\"# TYPE\"} 1\n# HELP c Built.\n# TYPE c info\n\
                    c_info{version=\"7\"} 1\n# HELP d_seconds Took.\n# TYPE d_seconds gauge\n# UNIT d_seconds seconds\nd_seconds 2\n# EOF\n";

        let expected = "# HELP a_total Things.\n# TYPE a_total counter\na_total{b=\"# TYPE\"} 1\n# HELP c_info Built.\n\
                        # TYPE c_info gauge\nc_info{version=\"7\"} 1\n# HELP d_seconds Took.\n# TYPE d_seconds gauge\nd_seconds 2\n";
        assert_eq!(classic(open), expected);
    }
}
