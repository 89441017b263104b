//! Elements as bytes (section 3.4 of the specification).
//!
//! Sequences of numbers below known bounds are written as one number in mixed radix, in a tree: neighbours are joined,
//! their low bytes written out while the bound of the pair is 2^14 or more, until one number is left.

use zeroize::Zeroizing;

use super::{
    PUBLIC_KEY_LEN,
    ring::{Element, P, Q},
};

/// Bytes of a small element: four coefficients each.
pub(super) const SMALL_LEN: usize = P.div_ceil(4);

/// Bytes of an element of R/q whose coefficients are multiples of 3.
pub(super) const ROUNDED_LEN: usize = 1007;

/// The largest coefficient.
const HALF: i16 = (Q as i16 - 1) / 2;

/// Multiples of 3 among the coefficients.
const ROUNDED: u32 = (Q as u32).div_ceil(3);

pub(super) fn encode_small(element: &Element) -> Zeroizing<[u8; SMALL_LEN]> {
    let mut bytes = Zeroizing::new([0; SMALL_LEN]);
    for (byte, coefficients) in bytes.iter_mut().zip(element.chunks(4)) {
        for (at, coefficient) in coefficients.iter().enumerate() {
            *byte |= ((coefficient + 1) as u8) << (2 * at);
        }
    }
    bytes
}

pub(super) fn encode_rq(element: &Element) -> [u8; PUBLIC_KEY_LEN] {
    let numbers = element.iter().map(|coefficient| ((coefficient + HALF) as u32, Q as u32));
    encode(Zeroizing::new(numbers.collect()))
}

pub(super) fn encode_rounded(element: &Element) -> [u8; ROUNDED_LEN] {
    // A third, by multiplication: 10923 = ⌈2^15 / 3⌉ is exact for numbers this small.
    let third = |number: i16| ((number + HALF) as u32 * 10_923) >> 15;
    let numbers = element.iter().map(|coefficient| (third(*coefficient), ROUNDED));
    encode(Zeroizing::new(numbers.collect()))
}

pub(super) fn decode_rq(bytes: &[u8; PUBLIC_KEY_LEN]) -> Element {
    let numbers = decode(bytes, &[Q as u32; P]);
    std::array::from_fn(|at| numbers[at] as i16 - HALF)
}

pub(super) fn decode_rounded(bytes: &[u8]) -> Element {
    let numbers = decode(bytes, &[ROUNDED; P]);
    std::array::from_fn(|at| 3 * numbers[at] as i16 - HALF)
}

/// From here on a bound stays as it is; from there down to here its low byte is written out.
const LIMIT: u32 = 1 << 14;

/// Encodes numbers, each with its bound. Which bytes are written when depends on the bounds only.
fn encode<const LEN: usize>(mut numbers: Zeroizing<Vec<(u32, u32)>>) -> [u8; LEN] {
    let mut bytes = Vec::with_capacity(LEN);
    let mut write = |number: &mut u32, bound: &mut u32| {
        bytes.push(*number as u8);
        *number >>= 8;
        *bound = bound.div_ceil(256);
    };
    while numbers.len() > 1 {
        let joined = numbers.chunks(2).map(|pair| match *pair {
            [(low, bound), (high, bound_of_high)] => {
                let (mut number, mut bound) = (low + high * bound, bound * bound_of_high);
                while bound >= LIMIT {
                    write(&mut number, &mut bound);
                }
                (number, bound)
            }
            _ => pair[0],
        });
        numbers = Zeroizing::new(joined.collect());
    }
    for (number, bound) in numbers.iter_mut() {
        while *bound > 1 {
            write(number, bound);
        }
    }
    bytes.try_into().unwrap_or([0; LEN])
}

/// Decodes as many numbers as there are bounds. Bytes that encode nothing are reduced to what is possible.
///
/// What is decoded is public: keys and ciphertexts on the wire.
fn decode(bytes: &[u8], bounds: &[u32]) -> Vec<u32> {
    if let [bound] = *bounds {
        let number = bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        return vec![number % bound];
    }
    let mut rest = bytes;
    let mut joined = Vec::with_capacity(bounds.len().div_ceil(2));
    let mut low_bytes = Vec::with_capacity(joined.capacity());
    for pair in bounds.chunks(2) {
        let mut bound = pair.iter().product::<u32>();
        let (mut number, mut radix) = (0, 1);
        while pair.len() == 2 && bound >= LIMIT {
            let (byte, others) = rest.split_first().unwrap_or((&0, &[]));
            number += u32::from(*byte) * radix;
            (rest, radix, bound) = (others, radix << 8, bound.div_ceil(256));
        }
        joined.push(bound);
        low_bytes.push((number, radix));
    }
    let high = decode(rest, &joined);
    let mut numbers = Vec::with_capacity(bounds.len());
    for (pair, ((low, radix), high)) in bounds.chunks(2).zip(low_bytes.into_iter().zip(high)) {
        let number = low + high * radix;
        match *pair {
            [first, second] => numbers.extend([number % first, number / first % second]),
            _ => numbers.push(number),
        }
    }
    numbers
}
