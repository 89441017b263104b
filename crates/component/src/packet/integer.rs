//! Integers as text: decimal, or hexadecimal behind `0x`, with a sign.

use underpass_wire::MAX_MPINT_LEN;

use super::PacketError;

/// An integer of `N` bytes, big-endian. Both readings of the bits have their numbers: -1 is 0xFFFFFFFF.
pub(super) fn fixed<const N: usize>(text: &str) -> Result<[u8; N], PacketError> {
    let expected = PacketError::Value(match N {
        1 => "an integer of 8 bits, such as 123 or 0x7B",
        4 => "an integer of 32 bits, such as 1234 or 0x4D2",
        _ => "an integer of 64 bits, such as 1234 or 0x4D2",
    });
    let Some((negative, magnitude)) = signed(text) else { return Err(expected) };
    let bytes = twos_complement(negative, magnitude);
    let fill = if negative { 0xFF } else { 0 };
    // A byte more is good only if it is nothing but the sign of a natural number.
    let bytes = if negative { bytes.as_slice() } else { bytes.strip_prefix(&[0]).unwrap_or(&bytes) };
    let mut fixed = [fill; N];
    let Some(start) = N.checked_sub(bytes.len()) else { return Err(expected) };
    fixed[start..].copy_from_slice(bytes);
    Ok(fixed)
}

/// The number of up to eight bytes, as a natural one.
pub(super) fn fixed_text(bytes: &[u8]) -> String {
    bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)).to_string()
}

/// The contents of an `mpint` (RFC 4251 section 5).
pub(super) fn mpint(text: &str) -> Result<Vec<u8>, PacketError> {
    let (negative, magnitude) = signed(text)
        .ok_or(PacketError::Value("an integer of at most 16,384 bits, such as 1234, -1234 or 0x4D2"))?;
    Ok(twos_complement(negative, magnitude))
}

/// The number that an `mpint` of these contents is, in decimal.
pub(super) fn mpint_text(contents: &[u8]) -> Result<String, PacketError> {
    if contents.len() > MAX_MPINT_LEN + 1 {
        return Err(PacketError::Value("an integer of at most 16,384 bits"));
    }
    let negative = contents.first().is_some_and(|first| first & 0x80 != 0);
    let mut magnitude = contents.to_vec();
    if negative {
        negate(&mut magnitude);
    }
    Ok(format!("{}{}", if negative { "-" } else { "" }, decimal(magnitude)))
}

/// Sign and magnitude, the latter big-endian without leading zeros.
fn signed(text: &str) -> Option<(bool, Vec<u8>)> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (radix, digits) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None => (10, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut magnitude = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(radix)?;
        for byte in &mut magnitude {
            let sum = u32::from(*byte) * radix + carry;
            [.., *byte] = sum.to_be_bytes();
            carry = sum >> 8;
        }
        if let Some(byte) = u8::try_from(carry).ok().filter(|byte| *byte > 0) {
            magnitude.push(byte);
        }
        // Also the bound of the work, which is the product of the lengths.
        if magnitude.len() > MAX_MPINT_LEN {
            return None;
        }
    }
    magnitude.reverse();
    Some((negative && !magnitude.is_empty(), magnitude))
}

/// The shortest form; zero is empty.
fn twos_complement(negative: bool, mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.insert(0, 0);
    if negative {
        negate(&mut bytes);
    }
    let superfluous = bytes.windows(2).take_while(|pair| match pair {
        [0, next] => next & 0x80 == 0,
        [0xFF, next] => next & 0x80 != 0,
        _ => false,
    });
    let superfluous = superfluous.count();
    bytes.drain(..superfluous);
    if bytes == [0] { Vec::new() } else { bytes }
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

/// A big-endian magnitude in decimal.
fn decimal(mut magnitude: Vec<u8>) -> String {
    /// The most digits that leave room for a byte in 64 bits.
    const GROUP: u64 = 10_u64.pow(16);
    let mut groups = Vec::new();
    let mut start = 0;
    while start < magnitude.len() {
        let mut remainder = 0;
        for byte in &mut magnitude[start..] {
            let dividend = remainder << 8 | u64::from(*byte);
            // The quotient is below 256, since the remainder is below the divisor.
            [.., *byte] = (dividend / GROUP).to_be_bytes();
            remainder = dividend % GROUP;
        }
        groups.push(remainder);
        start += magnitude[start..].iter().take_while(|byte| **byte == 0).count();
    }
    let mut groups = groups.into_iter().rev();
    let first = groups.next().unwrap_or(0);
    groups.fold(first.to_string(), |text, group| text + &format!("{group:016}"))
}
