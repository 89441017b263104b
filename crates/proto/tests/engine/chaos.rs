//! What the fuzzers run, with the same input on every run: no state in which arbitrary input panics, loses data or
//! breaks a bound.

use underpass_crypto::Entropy as _;
use underpass_testkit::chaos;
use underpass_testkit::entropy::SeededEntropy;

/// Runs a target with so many inputs of up to so many bytes.
fn run(target: fn(&[u8]), rounds: u64, longest: u64) {
    for seed in 0..rounds {
        let mut random = SeededEntropy::new(seed);
        let mut input = vec![0; random.below(longest) as usize];
        random.fill(&mut input);
        if std::panic::catch_unwind(|| target(&input)).is_err() {
            panic!("seed {seed}, {} bytes", input.len());
        }
    }
}

#[test]
fn arbitrary_bytes_end_a_connection_in_order() {
    run(chaos::bytes, 3000, 3000);
}

#[test]
fn arbitrary_messages_under_valid_keys_break_nothing() {
    run(chaos::messages, 2500, 600);
}

#[test]
fn arbitrary_actions_of_honest_applications_lose_nothing() {
    run(chaos::actions, 300, 3000);
}
