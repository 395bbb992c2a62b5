//! When a server's certificate ends.

use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::finding::{Findings, Level};
use crate::clock::Timestamp;

const CHECK: &str = "outside.certificate";
/// Programs that renew by themselves do so 30 days before the end: with less than this, it failed more than once.
const SOON_DAYS: i64 = 14;
const VERY_SOON_DAYS: i64 = 3;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Looks at a certificate in DER form.
pub(super) fn check(der: &[u8], now: Timestamp, findings: &mut Findings) {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        findings.warning(CHECK, "the certificate cannot be read", "look with `openssl s_client -connect HOST:443`");
        return;
    };
    let ends = certificate.validity().not_after.timestamp();
    let days = (ends - now.as_seconds()).div_euclid(DAY_SECONDS);
    let level = match days {
        ..VERY_SOON_DAYS => Level::Problem,
        VERY_SOON_DAYS..SOON_DAYS => Level::Warning,
        _ => return findings.ok(CHECK, format!("it is trusted, and good for {days} more days")),
    };
    let message =
        if days < 0 { "it has ended".to_owned() } else { format!("it ends in {days} day(s), and nobody renewed it") };
    findings.fault(
        level,
        CHECK,
        message,
        "look at the log of Caddy or certbot; port 80 and the name must reach this machine",
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn a_certificate_that_ends_soon_is_noticed_in_time() {
        let mut params = CertificateParams::new(vec!["mindflow.example.org".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 4, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        // 2026-04-01T00:00:00Z.
        let end = Timestamp::from_micros(1_775_001_600_000_000);
        let found = |before: Duration| {
            let mut findings = Findings::default();
            check(certificate.der(), end.minus(before), &mut findings);
            findings.worst()
        };

        assert_eq!(found(Duration::from_hours(60 * 24)), Level::Ok);
        assert_eq!(found(Duration::from_hours(14 * 24)), Level::Ok);
        assert_eq!(found(Duration::from_hours(13 * 24)), Level::Warning);
        assert_eq!(found(Duration::from_hours(2 * 24)), Level::Problem);
    }
}
