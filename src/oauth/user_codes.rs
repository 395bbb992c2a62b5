//! The codes that people type for their devices: short, and hard to mistype (RFC 8628, section 6.1).

use crate::accounts::secrets::{RandomError, SecretHash, hash_secret};

/// Consonants: no code spells a word, and no letter looks like a digit.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many of them: 34 bits, which is enough while wrong codes are counted.
const LENGTH: usize = 8;
/// Bytes from here on are thrown away, so that every letter comes as often as the others.
const FAIR_BELOW: u8 = 240;

/// Makes a code: `WDJB-MJHT`.
pub(super) fn generate() -> Result<String, RandomError> {
    let mut letters = String::with_capacity(LENGTH + 1);
    while letters.len() < LENGTH + 1 {
        let mut bytes = [0_u8; 2 * LENGTH];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| RandomError)?;
        for byte in bytes.into_iter().filter(|byte| *byte < FAIR_BELOW) {
            if letters.len() == LENGTH / 2 {
                letters.push('-');
            }
            if letters.len() < LENGTH + 1 {
                letters.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
            }
        }
    }
    Ok(letters)
}

/// The hash under which a code is stored and found, however it is written: in lower case, with other or no separators.
pub(super) fn hash(code: &str) -> SecretHash {
    let letters: String = code.chars().filter(char::is_ascii_alphabetic).take(LENGTH + 1).collect();
    hash_secret(&letters.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_two_groups_of_four_consonants() {
        let codes: Vec<String> = (0..200).map(|_| generate().unwrap()).collect();

        for code in &codes {
            let (first, second) = code.split_once('-').unwrap();
            assert_eq!((first.len(), second.len()), (4, 4), "{code}");
            assert!((first.to_owned() + second).bytes().all(|byte| LETTERS.contains(&byte)), "{code}");
        }
        let used = LETTERS.iter().filter(|letter| codes.iter().any(|code| code.as_bytes().contains(letter)));
        assert_eq!(used.count(), LETTERS.len());
    }

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for written in ["wdjb-mjht", "WDJBMJHT", " wdjb mjht ", "W.D.J.B-M.J.H.T"] {
            assert_eq!(hash(written), hash("WDJB-MJHT"), "{written}");
        }
        assert_ne!(hash("WDJB-MJHTX"), hash("WDJB-MJHT"));
        assert_ne!(hash("WDJB-MJH"), hash("WDJB-MJHT"));
    }
}
