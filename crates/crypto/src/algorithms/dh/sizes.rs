use crate::KexError;

/// The sizes, in bits, of the groups that one side of a group exchange takes (RFC 4419 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSizes {
    min: u32,
    preferred: u32,
    max: u32,
}

impl GroupSizes {
    /// The smallest size that can be set: 1,024 bits, RFC 4419's own minimum, for servers that have nothing better.
    pub const SMALLEST: u32 = 1024;

    /// The largest size: 8,192 bits. It bounds what a hostile group can cost, and more than its strength of some 200
    /// bits is of no use.
    pub const LARGEST: u32 = 8192;

    /// From `min` to `max`, rather `preferred` than larger.
    ///
    /// `None` unless [`SMALLEST`](Self::SMALLEST) ≤ `min` ≤ `preferred` ≤ `max` ≤ [`LARGEST`](Self::LARGEST).
    pub const fn new(min: u32, preferred: u32, max: u32) -> Option<Self> {
        if Self::SMALLEST <= min && min <= preferred && preferred <= max && max <= Self::LARGEST {
            Some(Self { min, preferred, max })
        } else {
            None
        }
    }

    /// The default with another preference. A preference below its minimum lowers that.
    ///
    /// `None` unless [`SMALLEST`](Self::SMALLEST) ≤ `bits` ≤ [`LARGEST`](Self::LARGEST).
    pub const fn preferring(bits: u32) -> Option<Self> {
        let default = Self::DEFAULT;
        Self::new(if bits < default.min { bits } else { default.min }, bits, default.max)
    }

    const DEFAULT: Self = Self { min: 2048, preferred: 3072, max: Self::LARGEST };

    /// The smallest size that is taken.
    pub const fn min(self) -> u32 {
        self.min
    }

    /// The size that is asked for.
    pub const fn preferred(self) -> u32 {
        self.preferred
    }

    /// The largest size that is taken.
    pub const fn max(self) -> u32 {
        self.max
    }

    pub(super) fn takes(self, bits: u32) -> bool {
        (self.min..=self.max).contains(&bits)
    }

    /// What a client that asks for these three numbers and we both take, with the client's preference.
    ///
    /// # Errors
    /// There is nothing that both take, or the client contradicts itself.
    pub(super) fn meet(self, min: u32, preferred: u32, max: u32) -> Result<Self, KexError> {
        if min > preferred || preferred > max {
            return Err(KexError::GroupRange { min, max });
        }
        let (low, high) = (min.max(self.min), max.min(self.max));
        if low > high {
            return Err(KexError::GroupRange { min, max });
        }
        Ok(Self { min: low, preferred: preferred.clamp(low, high), max: high })
    }
}

impl Default for GroupSizes {
    /// At least 2,048 bits (RFC 8270), rather 3,072, which is as strong as AES-128, at most 8,192.
    fn default() -> Self {
        Self::DEFAULT
    }
}
