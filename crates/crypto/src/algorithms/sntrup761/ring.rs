//! Arithmetic in R/q and R/3: polynomials modulo x^761 - x - 1, with coefficients modulo an odd number M around 0.

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

/// The degree of the ring.
pub(super) const P: usize = 761;

/// The modulus of the large ring.
pub(super) const Q: i32 = 4591;

/// The coefficients, the constant first, each from -(M-1)/2 to (M-1)/2.
pub(super) type Element = [i16; P];

/// `number` modulo M, around 0. For numbers up to 2^24 either way: the estimate of the quotient is off by less than
/// 2^24 / 2^41, and none is nearer than 1/2M to the border between two.
pub(super) fn reduce<const M: i32>(number: i32) -> i16 {
    let inverse = const { ((1_i64 << SHIFT) + M as i64 / 2) / M as i64 };
    let quotient = (i64::from(number) * inverse + (1 << (SHIFT - 1))) >> SHIFT;
    (number - quotient as i32 * M) as i16
}

const SHIFT: u32 = 40;

/// The product of an element, and another that is small if M is not.
pub(super) fn product<const M: i32>(element: &Element, small: &Element) -> Zeroizing<Element> {
    // Sums of 761 products stay below 2^21.
    let mut wide = Zeroizing::new([0_i32; 2 * P - 1]);
    for (at, left) in element.iter().enumerate() {
        for (sum, right) in wide[at..].iter_mut().zip(small) {
            *sum += i32::from(*left) * i32::from(*right);
        }
    }
    // x^761 = x + 1.
    for at in (P..wide.len()).rev() {
        wide[at - P] += wide[at];
        wide[at - P + 1] += wide[at];
    }
    let mut product = Zeroizing::new([0; P]);
    for (reduced, sum) in product.iter_mut().zip(wide.iter()) {
        *reduced = reduce::<M>(*sum);
    }
    product
}

/// 1/element, if it has an inverse.
///
/// Division steps (Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", section 6) on the
/// polynomials with their coefficients reversed: as many as are enough for every element.
pub(super) fn inverse<const M: i32>(element: &Element) -> Option<Zeroizing<Element>> {
    let mut steps = Steps::new(element);
    for _ in 0..2 * P - 1 {
        steps.step::<M>();
    }
    let scale = i32::from(reciprocal::<M>(steps.f[0]));
    let mut inverse = Zeroizing::new([0; P]);
    for (coefficient, v) in inverse.iter_mut().zip(steps.v[..P].iter().rev()) {
        *coefficient = reduce::<M>(scale * i32::from(*v));
    }
    // Only elements of R/3 can lack an inverse, and those are thrown away.
    (steps.delta == 0).then_some(inverse)
}

/// f and g shrink to a constant and 0; v and r keep count of how often the element is in them.
struct Steps {
    delta: i32,
    f: Zeroizing<[i16; P + 1]>,
    g: Zeroizing<[i16; P + 1]>,
    v: Zeroizing<[i16; P + 1]>,
    r: Zeroizing<[i16; P + 1]>,
}

impl Steps {
    fn new(element: &Element) -> Self {
        let zero = || Zeroizing::new([0; P + 1]);
        let (mut f, mut g, mut r) = (zero(), zero(), zero());
        (f[0], f[P - 1], f[P]) = (1, -1, -1);
        for (coefficient, of_element) in g.iter_mut().zip(element.iter().rev()) {
            *coefficient = *of_element;
        }
        r[0] = 1;
        Self { delta: 1, f, g, v: zero(), r }
    }

    fn step<const M: i32>(&mut self) {
        self.v.copy_within(..P, 1);
        self.v[0] = 0;
        let swap = is_positive(self.delta) & !self.g[0].ct_eq(&0);
        self.delta.conditional_assign(&-self.delta, swap);
        self.delta += 1;
        for (a, b) in [(&mut self.f, &mut self.g), (&mut self.v, &mut self.r)] {
            for (a, b) in a.iter_mut().zip(b.iter_mut()) {
                i16::conditional_swap(a, b, swap);
            }
        }
        let (f_0, g_0) = (i32::from(self.f[0]), i32::from(self.g[0]));
        for (from, other) in [(&mut self.g, &self.f), (&mut self.r, &self.v)] {
            for (from, other) in from.iter_mut().zip(other.iter()) {
                *from = reduce::<M>(f_0 * i32::from(*from) - g_0 * i32::from(*other));
            }
        }
        self.g.copy_within(1.., 0);
        self.g[P] = 0;
    }
}

fn is_positive(number: i32) -> Choice {
    Choice::from((number.wrapping_neg() as u32 >> 31) as u8)
}

/// 1/number modulo the prime M, by Fermat; 0 for 0.
fn reciprocal<const M: i32>(number: i16) -> i16 {
    let product = |a: i16, b: i16| reduce::<M>(i32::from(a) * i32::from(b));
    let (mut power, mut result) = (number, 1);
    let mut exponent = M - 2;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = product(result, power);
        }
        power = product(power, power);
        exponent >>= 1;
    }
    result
}
