use super::OtsError;

/// Reads bytes from the front. Nothing is copied, and no length is believed before that many bytes are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn remaining(&self) -> usize {
        self.0.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8, OtsError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], OtsError> {
        let (front, rest) = self.0.split_first_chunk().ok_or(OtsError::Truncated)?;
        self.0 = rest;
        Ok(*front)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], OtsError> {
        let (front, rest) = self.0.split_at_checked(length).ok_or(OtsError::Truncated)?;
        self.0 = rest;
        Ok(front)
    }

    /// A number in groups of seven bits, the lowest first.
    pub(super) fn number(&mut self) -> Result<u64, OtsError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let group = u64::from(byte & 0x7f);
            if group << shift >> shift != group {
                return Err(OtsError::NumberTooLarge);
            }
            number |= group << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(OtsError::NumberTooLarge)
    }

    /// Bytes with their length before them.
    pub(super) fn var_bytes(&mut self, least: usize, most: usize) -> Result<&'a [u8], OtsError> {
        let given = self.number()?;
        let length = usize::try_from(given).ok().filter(|length| (least..=most).contains(length));
        self.bytes(length.ok_or(OtsError::WrongLength { given, least, most })?)
    }

    /// The front is all there is.
    pub(super) fn end(self, error: fn(usize) -> OtsError) -> Result<(), OtsError> {
        if self.0.is_empty() { Ok(()) } else { Err(error(self.0.len())) }
    }
}

/// Writes a number in as few groups as it takes.
pub(super) fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(0x80 | low_bits(number));
        number >>= 7;
    }
    out.push(low_bits(number));
}

pub(super) fn write_var_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn low_bits(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            let mut reader = Reader::new(&bytes);
            assert_eq!((reader.number(), reader.remaining()), (Ok(number), 0));
            assert_eq!(Reader::new(&bytes[..bytes.len() - 1]).number(), Err(OtsError::Truncated));
        }
    }

    #[test]
    fn long_spellings_of_small_numbers_are_read() {
        assert_eq!(Reader::new(&[0x80, 0]).number(), Ok(0));
        assert_eq!(Reader::new(&[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]).number(), Ok(1));
    }

    #[test]
    fn numbers_beyond_64_bits_or_without_end_are_refused() {
        let ten = |last| [&[0xff; 9], &[last][..]].concat();
        assert_eq!(Reader::new(&ten(1)).number(), Ok(u64::MAX));
        for bytes in [ten(2), ten(0x7f), ten(0x80), ten(0x81), vec![0x80; 1000]] {
            assert_eq!(Reader::new(&bytes).number(), Err(OtsError::NumberTooLarge), "{bytes:?}");
        }
    }
}
