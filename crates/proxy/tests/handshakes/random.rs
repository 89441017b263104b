//! Bytes that somebody has tampered with, and bytes that mean nothing: they may be refused, never do harm. The
//! same ones on every run.

use underpass_proxy::{Access, Connector};

use crate::drive::{accept, accounts, connect};
use crate::{client_cases, server_cases};

#[test]
fn twenty_thousand_mutated_requests_do_no_harm() {
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let seeds: Vec<Vec<u8>> = server_cases::all().into_iter().map(|case| case.bytes).collect();
    for round in 0..20_000 {
        let bytes = random.mutated(&seeds);
        let access = if round % 2 == 0 { Access::Anyone } else { accounts() };
        let whole = accept(access.clone(), [&bytes[..]]);
        if let Some(Ok(request)) = &whole.result {
            assert_eq!(request.target.check(), Ok(()));
            assert!(bytes.ends_with(&whole.early));
        }
        let size = 1 + random.below(20);
        assert_eq!(accept(access, bytes.chunks(size)), whole, "{}", bytes.escape_ascii());
    }
}

#[test]
fn twenty_thousand_mutated_answers_do_no_harm() {
    let mut random = XorShift(0x2545_f491_4f6c_dd1d);
    let cases = client_cases::all();
    let seeds: Vec<Vec<u8>> = cases.iter().map(|case| case.bytes.clone()).collect();
    let target = "bastion.example:22".parse().unwrap();
    for _ in 0..20_000 {
        let bytes = random.mutated(&seeds);
        let proxy = cases[random.below(cases.len())].proxy.parse().unwrap();
        let connector = || Connector::new(&proxy, &target).unwrap();
        let whole = connect(connector(), [&bytes[..]]);
        if let Some(Err(error)) = &whole.result {
            assert!(!error.to_string().contains(char::is_control));
        }
        let size = 1 + random.below(20);
        assert_eq!(connect(connector(), bytes.chunks(size)), whole, "{}", bytes.escape_ascii());
    }
}

#[test]
fn nobody_gets_in_by_luck() {
    let mut random = XorShift(0x0123_4567_89ab_cdef);
    for _ in 0..20_000 {
        let len = random.below(300);
        let mut bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        bytes.splice(..0, [[4, 1], [5, 1], *b"CO", [5, 2]][random.below(4)]);
        let verdict = accept(accounts(), [&bytes[..]]);
        assert!(!matches!(verdict.result, Some(Ok(_))), "{}", bytes.escape_ascii());
    }
}

struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// One of the seeds with a few changes.
    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(3) {
            self.mutate(&mut bytes);
        }
        bytes
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.below(bytes.len());
        match self.below(5) {
            0 => bytes[at] = self.next() as u8,
            1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, self.next() as u8),
            _ => {
                let end = (at + self.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
}
