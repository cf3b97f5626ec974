//! Bytes read as a script: one step after another, until none are left. Any bytes are a script, and a mutation of one is
//! nearly the same script.

/// What is left of a script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script<'b> {
    rest: &'b [u8],
}

impl<'b> Script<'b> {
    /// The whole script.
    pub(super) fn new(bytes: &'b [u8]) -> Script<'b> {
        Script { rest: bytes }
    }

    /// The next byte; none at the end.
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// The next two bytes as a little-endian number; what is missing at the end counts as 0.
    pub(super) fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// The next eight bytes, likewise.
    pub(super) fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// The bytes that a two-byte count announces, or as many as are left.
    pub(super) fn counted(&mut self) -> &'b [u8] {
        let count = usize::from(self.short()).min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(count);
        self.rest = rest;
        bytes
    }

    fn array<const COUNT: usize>(&mut self) -> [u8; COUNT] {
        let mut array = [0; COUNT];
        let count = COUNT.min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(count);
        array[..count].copy_from_slice(bytes);
        self.rest = rest;
        array
    }
}

/// Appends what [`Script::counted`] reads.
pub(super) fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_to_its_end_whatever_its_counts_say() {
        let mut bytes = vec![7];
        put_counted(&mut bytes, b"packet");
        bytes.extend_from_slice(&[0xff, 0xff, 1, 2]);
        let mut script = Script::new(&bytes);
        assert_eq!((script.byte(), script.counted()), (Some(7), &b"packet"[..]));
        assert_eq!((script.counted(), script.byte(), script.long()), (&[1, 2][..], None, 0));
    }
}
