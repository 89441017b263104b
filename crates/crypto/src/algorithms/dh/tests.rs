//! The primes by the RFCs' formula, and what a group exchange takes and refuses.

use crypto_bigint::{BoxedUint, Limb, NonZero};

use super::*;

/// Bits behind the point of a fixed-point number: a few more than the largest formula looks at.
const FRACTION: u32 = 8300;

/// Bits of a fixed-point number, and of the primes.
const PRECISION: u32 = 8448;

/// arctan(1/x) by its power series.
fn arctan_of_inverse(x: u32) -> BoxedUint {
    let divided = |number: &BoxedUint, by: u32| {
        number.div_rem_limb(NonZero::new(Limb::from(by)).into_option().unwrap()).0
    };
    let mut power = divided(&BoxedUint::one_with_precision(PRECISION).shl(FRACTION), x);
    let mut sum = power.clone();
    for at in 1.. {
        power = divided(&power, x * x);
        if bool::from(power.is_zero()) {
            break;
        }
        let term = divided(&power, 2 * at + 1);
        sum = if at % 2 == 1 { sum.wrapping_sub(&term) } else { sum.wrapping_add(&term) };
    }
    sum
}

/// Machin: π = 16 arctan(1/5) - 4 arctan(1/239).
fn pi() -> BoxedUint {
    arctan_of_inverse(5).shl(4).wrapping_sub(arctan_of_inverse(239).shl(2))
}

#[test]
fn the_primes_are_those_of_the_formula_with_pi() {
    // 2^n - 2^(n-64) - 1 + 2^64 · (⌊2^(n-130) π⌋ + c), as RFC 2409 and RFC 3526 state it for each.
    let pi = pi();
    for (prime, bits, c) in [
        (&primes::MODP_1024[..], 1024, 129_093_u32),
        (&primes::MODP_2048, 2048, 124_476),
        (&primes::MODP_3072, 3072, 1_690_314),
        (&primes::MODP_4096, 4096, 240_904),
        (&primes::MODP_6144, 6144, 929_484),
        (&primes::MODP_8192, 8192, 4_743_158),
    ] {
        let power = |exponent| BoxedUint::one_with_precision(PRECISION).shl(exponent);
        let middle = pi.shr(FRACTION - (bits - 130)).wrapping_add(BoxedUint::from(c)).shl(64);
        let formula =
            power(bits).wrapping_sub(power(bits - 64)).wrapping_sub(BoxedUint::one()).wrapping_add(&middle);
        assert_eq!(*formula.to_be_bytes_trimmed_vartime(), *prime, "{bits}");
    }
}

fn bits(group: Result<DhGroup, KexError>) -> usize {
    8 * group.unwrap().prime().len()
}

#[test]
fn a_server_picks_the_smallest_group_that_is_large_enough_else_the_largest_that_is_taken() {
    let ours = GroupSizes::default();
    for (asked, picked) in [
        ((1024, 1024, 8192), 2048),
        ((2048, 2048, 8192), 2048),
        ((2048, 2049, 8192), 3072),
        ((1024, 3072, 4096), 3072),
        ((2048, 7680, 8192), 8192),
        ((2048, 8192, 8192), 8192),
        ((2048, 7680, 7680), 6144),
        ((2048, 4000, 4000), 3072),
        ((3000, 3000, 16_384), 3072),
    ] {
        let (min, preferred, max) = asked;
        assert_eq!(bits(DhGroup::choose(ours, min, preferred, max)), picked, "{asked:?}");
    }
}

#[test]
fn a_server_refuses_what_neither_side_takes_and_what_contradicts_itself() {
    let ours = GroupSizes::default();
    for (min, preferred, max) in [
        (1024, 1024, 1536),
        (8193, 16_384, 16_384),
        (2049, 2100, 3000),
        (4096, 3072, 8192),
        (2048, 4096, 3072),
        (u32::MAX, u32::MAX, u32::MAX),
        (0, 0, 0),
    ] {
        let refused = DhGroup::choose(ours, min, preferred, max).unwrap_err();
        assert_eq!(refused, KexError::GroupRange { min, max });
    }
    let small = GroupSizes::new(1024, 2048, 2048).unwrap();
    assert_eq!(bits(DhGroup::choose(small, 1024, 8192, 8192)), 2048);
}

#[test]
fn a_client_refuses_groups_of_other_sizes_than_it_asked_for() {
    let sizes = GroupSizes::new(2048, 3072, 4096).unwrap();
    for prime in [&primes::MODP_2048[..], &primes::MODP_3072, &primes::MODP_4096] {
        assert!(DhGroup::offered(prime, &[2], sizes).is_ok());
    }
    let almost = [&[0x7f], &primes::MODP_2048[1..]].concat();
    for (prime, bits) in [
        (&primes::MODP_1024[..], 1024),
        (&primes::MODP_6144, 6144),
        (&primes::MODP_8192, 8192),
        (&almost, 2047),
        (&[], 0),
        (&[5], 3),
    ] {
        let refused = DhGroup::offered(prime, &[2], sizes).unwrap_err();
        assert_eq!(refused, KexError::GroupSize { bits });
    }
}

#[test]
fn a_client_refuses_an_even_modulus_and_a_trivial_generator() {
    let sizes = GroupSizes::default();
    let prime = primes::MODP_2048;
    let with_last = |last| [&prime[..255], &[last]].concat();
    assert_eq!(DhGroup::offered(&with_last(0xfe), &[2], sizes).unwrap_err(), KexError::InvalidGroup);
    let (p_less_1, longer) = (with_last(0xfe), [&prime[..], &[1]].concat());
    for generator in [&[][..], &[1], &p_less_1, &prime, &longer] {
        let refused = DhGroup::offered(&prime, generator, sizes).unwrap_err();
        assert_eq!(refused, KexError::InvalidGroup, "{} bytes", generator.len());
    }
    let p_less_2 = with_last(0xfd);
    assert!(DhGroup::offered(&prime, &p_less_2, sizes).is_ok());
}

#[test]
fn sizes_are_in_order_and_within_the_bounds() {
    assert_eq!(GroupSizes::new(1024, 3072, 8192).map(GroupSizes::preferred), Some(3072));
    for (min, preferred, max) in
        [(1023, 2048, 4096), (2048, 2048, 8193), (4096, 3072, 8192), (2048, 4096, 3072), (0, 0, 0)]
    {
        assert_eq!(GroupSizes::new(min, preferred, max), None);
    }
    let low = GroupSizes::preferring(1024).unwrap();
    assert_eq!((low.min(), low.preferred(), low.max()), (1024, 1024, 8192));
    let high = GroupSizes::preferring(8192).unwrap();
    assert_eq!((high.min(), high.preferred(), high.max()), (2048, 8192, 8192));
    assert_eq!(GroupSizes::preferring(1000), None);
    assert_eq!(GroupSizes::preferring(9000), None);
}
