//! Random elements (section 4.2 of the specification).

use subtle::{ConditionallySelectable as _, ConstantTimeGreater as _};
use zeroize::Zeroizing;

use super::{
    W,
    ring::{Element, P},
};
use crate::Entropy;

/// A uniform small element, but for a bias of 2^-30.
pub(super) fn small(entropy: &mut dyn Entropy) -> Zeroizing<Element> {
    let mut element = Zeroizing::new([0; P]);
    for (coefficient, number) in element.iter_mut().zip(numbers(entropy).iter()) {
        *coefficient = (((number & 0x3fff_ffff) * 3) >> 30) as i16 - 1;
    }
    element
}

/// A uniform short element: coefficients that are not 0 and ones that are, sorted by random numbers above them.
pub(super) fn short(entropy: &mut dyn Entropy) -> Zeroizing<Element> {
    let mut numbers = numbers(entropy);
    for (at, number) in numbers.iter_mut().enumerate() {
        // The low two bits are the coefficient to be, plus 1.
        *number = if at < W { *number & !1 } else { *number & !3 | 1 };
    }
    sort(numbers.as_mut_slice());
    let mut element = Zeroizing::new([0; P]);
    for (coefficient, number) in element.iter_mut().zip(numbers.iter()) {
        *coefficient = (number & 3) as i16 - 1;
    }
    element
}

fn numbers(entropy: &mut dyn Entropy) -> Zeroizing<[u32; P]> {
    let mut bytes = Zeroizing::new([0; 4 * P]);
    entropy.fill(bytes.as_mut_slice());
    let mut numbers = Zeroizing::new([0; P]);
    for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(4)) {
        *number = bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
    }
    numbers
}

/// Sorts without telling the order: Batcher's merge exchange (Knuth, volume 3, section 5.2.2, algorithm M) compares the
/// same places whatever stands there.
pub(super) fn sort(numbers: &mut [u32]) {
    let top = numbers.len().next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut distance) = (top, 0, p);
        loop {
            for at in (0..numbers.len() - distance).filter(|at| at & p == r) {
                let (low, high) = numbers.split_at_mut(at + distance);
                let wrong = low[at].ct_gt(&high[0]);
                u32::conditional_swap(&mut low[at], &mut high[0], wrong);
            }
            if q == p {
                break;
            }
            (distance, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
}
