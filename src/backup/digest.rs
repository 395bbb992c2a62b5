//! Checksums: of bytes, and of a table's rows whatever order they come in.

use sha2::{Digest as _, Sha256};

use crate::hex::hex;

/// The sum of a table's rows: the SHA-256 of each line, added up modulo 2^256.
///
/// The databases give rows in orders of their own, so the sum must not depend on it. It tells apart what faults of
/// programs and disks make different; it is not made to stand up to somebody who seeks two tables of one sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsDigest {
    sum: [u64; 4],
    rows: u64,
}

impl RowsDigest {
    /// Adds lines, each of which ends with a line feed.
    pub fn add(&mut self, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let hash = Sha256::digest(line);
            let mut carry = false;
            for (word, bytes) in self.sum.iter_mut().zip(hash.chunks_exact(8)) {
                let number = u64::from_le_bytes(std::array::from_fn(|place| bytes[place]));
                let (sum, over) = word.overflowing_add(number);
                let (sum, again) = sum.overflowing_add(u64::from(carry));
                (*word, carry) = (sum, over || again);
            }
            self.rows += 1;
        }
    }

    /// How many rows were added.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The sum, 64 hexadecimal digits.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.sum.iter().flat_map(|word| word.to_le_bytes()).collect();
        hex(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(lines: &[&str]) -> RowsDigest {
        let mut digest = RowsDigest::default();
        for line in lines {
            digest.add(line.as_bytes());
        }
        digest
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_everything_else_does() {
        let one = digest(&["[1]\n", "[2]\n", "[3]\n"]);

        assert_eq!(one, digest(&["[3]\n[1]\n", "[2]\n"]));
        assert_ne!(one.text(), digest(&["[1]\n", "[2]\n"]).text());
        assert_ne!(one.text(), digest(&["[1]\n", "[2]\n", "[4]\n"]).text());
        // A row that is there twice does not take itself away.
        assert_ne!(digest(&["[1]\n", "[2]\n", "[2]\n"]).text(), digest(&["[1]\n"]).text());
        assert_eq!(one.rows(), 3);
    }

    #[test]
    fn sums_go_round_at_their_end() {
        let mut full = RowsDigest { sum: [u64::MAX; 4], rows: 0 };
        full.add(b"[1]\n");
        let one = digest(&["[1]\n"]);

        // 2^256 - 1 + x is x - 1.
        assert_eq!(full.sum[0].wrapping_add(1), one.sum[0]);
        assert_eq!(full.text().len(), 64);
    }
}
