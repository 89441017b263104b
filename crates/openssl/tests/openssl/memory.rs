//! Keys that OpenSSL has signed with leave nothing behind in the memory of the process.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use underpass_crypto::{
    Signer,
    algorithms::{
        ecdsa::{Curve, EcdsaKey},
        ed25519::Ed25519Key,
    },
};
use underpass_openssl::{Mode, signer};

use crate::support::in_both_modes;

in_both_modes! {
    a_key_that_has_signed_leaves_no_copy_behind
}

fn a_key_that_has_signed_leaves_no_copy_behind(mode: Mode) {
    let makers: [Make; 2] = [
        |number| Box::new(EcdsaKey::from_scalar(Curve::Nistp256, number).unwrap()),
        |number| Box::new(Ed25519Key::from_seed(number).unwrap()),
    ];
    for (salt, make) in makers.into_iter().enumerate() {
        let private = Masked::new(mode as u8 * 2 + salt as u8);
        let key = private.with_number(make);
        let Ok(Some(theirs)) = signer(mode, &*key) else {
            assert_eq!((mode, key.algorithms()), (Mode::Fips, &["ssh-ed25519"][..]), "the rest is approved");
            continue;
        };
        drop(key);
        theirs.sign(theirs.algorithms()[0], b"data").unwrap();
        assert!(private.copies() > 0, "while the key is there, it is found");
        drop(theirs);
        assert_eq!(private.copies(), 0, "{mode:?}, {salt}");
    }
}

type Make = fn(&[u8]) -> Box<dyn Signer>;

/// A private number that is itself nowhere in memory but where it is used.
struct Masked([u8; 32]);

impl Masked {
    fn new(salt: u8) -> Self {
        let mut masked = [0; 32];
        for (at, byte) in (0..).zip(&mut masked) {
            *byte = (37_u8.wrapping_mul(at) ^ 0x11).wrapping_add(salt) ^ MASK;
        }
        Self(masked)
    }

    fn with_number<T>(&self, make: impl FnOnce(&[u8]) -> T) -> T {
        let mut number = Box::new(self.0);
        number.iter_mut().for_each(|byte| *byte ^= MASK);
        let made = make(number.as_slice());
        number.fill(0);
        // What is written to memory that is given back may be left out.
        std::hint::black_box(number);
        made
    }

    /// How often a part of it is there, as it is sent and as arithmetic has it.
    fn copies(&self) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        // With the beginning of the next page, where a copy may go on.
        let (mut page, mut copies) = (vec![0; PAGE + PART.len() - 1], 0);
        for start in maps.lines().flat_map(pages) {
            // Less is there at the end of what is mapped; nothing, where other threads have given it back meanwhile.
            let there = memory.read_at(&mut page, start as u64).unwrap_or(0);
            copies += page[..there].windows(PART.len()).filter(|window| self.is_part(window)).count();
            page.fill(0);
        }
        copies
    }

    fn is_part(&self, window: &[u8]) -> bool {
        let part = &self.0[PART];
        let same = |(byte, masked): (&u8, &u8)| byte ^ MASK == *masked;
        window.iter().zip(part).all(same) || window.iter().rev().zip(part).all(same)
    }
}

/// The pages of a line of the map, if they can be written to.
fn pages(line: &str) -> impl Iterator<Item = usize> {
    let (range, rest) = line.split_once(' ').unwrap();
    let (start, end) = range.split_once('-').unwrap();
    let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).unwrap());
    let end = if rest.starts_with("rw") { end } else { start };
    (start..end).step_by(PAGE)
}

const MASK: u8 = 0x5a;
const PAGE: usize = 4096;
/// A memory that is given back loses its first bytes.
const PART: std::ops::Range<usize> = 6..28;
