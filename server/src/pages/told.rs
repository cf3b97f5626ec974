//! What this tick's readers are told, packed so that copying it to thousands of them stays in the cache.
//!
//! Pages are taken in groups, which can be encoded in parallel. A group's bytes hold for each of its pages that was asked for a
//! block: the variants wanted as bits (8 bytes), a note on each variant (8 bytes), and the variants.

use throng_shared::memory::fetch;
use throng_shared::wire::page::Told;

/// Pages of a group.
pub(super) const GROUP_PAGES: usize = 256;

/// Bytes beyond the last variant, so that short ones can be copied by a fixed length.
const SPARE_BYTES: usize = 64;

/// The encoded pages of one group.
#[derive(Debug, Default)]
pub(super) struct ToldGroup {
    bytes: Vec<u8>,
    /// Where the block of each page begins; of use only for those that were asked for.
    blocks: Vec<u32>,
}

/// All variants of a page, with what is behind them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'g>(&'g [u8]);

/// A page as those are told it who have one baseline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant<'g> {
    /// Its bytes, and others behind them.
    bytes: &'g [u8],
    length: usize,
    pub(crate) told: Told,
}

/// Where a variant is in its block, and what it tells.
#[derive(Clone, Copy, Debug)]
struct Note {
    start: u16,
    length: u16,
    told: Told,
}

impl Note {
    fn to_bytes(self) -> [u8; 8] {
        let Note { start, length, told: Told { enters, updates, leaves, attribute_bytes } } = self;
        let (start, length) = (start.to_le_bytes(), length.to_le_bytes());
        // A page has no more than 32 slots, and few enough bytes.
        let told = (enters | updates << 6 | leaves << 12 | attribute_bytes << 18).to_le_bytes();
        [start[0], start[1], length[0], length[1], told[0], told[1], told[2], told[3]]
    }

    fn from_bytes(bytes: [u8; 8]) -> Note {
        let [start_low, start_high, length_low, length_high, told @ ..] = bytes;
        let told = u32::from_le_bytes(told);
        Note {
            start: u16::from_le_bytes([start_low, start_high]),
            length: u16::from_le_bytes([length_low, length_high]),
            told: Told {
                enters: told & 63,
                updates: told >> 6 & 63,
                leaves: told >> 12 & 63,
                attribute_bytes: told >> 18,
            },
        }
    }
}

impl ToldGroup {
    /// Empty, for so many pages.
    pub(super) fn begin(&mut self, pages: usize) {
        self.bytes.clear();
        self.blocks.clear();
        self.blocks.resize(pages, 0);
    }

    /// Adds a page: `encode` appends the variant for a baseline of so many ticks ago, for each bit of `wanted`. Returns the length of the
    /// longest, in bytes.
    pub(super) fn add(
        &mut self,
        place: usize,
        wanted: u64,
        mut encode: impl FnMut(u32, &mut Vec<u8>) -> Told,
    ) -> usize {
        let block = self.bytes.len();
        self.blocks[place] = block as u32;
        self.bytes.extend_from_slice(&wanted.to_le_bytes());
        self.bytes.resize(block + 8 + 8 * wanted.count_ones() as usize, 0);
        let (mut rest, mut note_at, mut longest) = (wanted, block + 8, 0);
        while rest != 0 {
            let start = self.bytes.len();
            let told = encode(rest.trailing_zeros(), &mut self.bytes);
            rest &= rest - 1;
            let length = self.bytes.len() - start;
            let note = Note { start: (start - block) as u16, length: length as u16, told };
            self.bytes[note_at..note_at + 8].copy_from_slice(&note.to_bytes());
            note_at += 8;
            longest = longest.max(length);
        }
        longest
    }

    /// To be called when all have been added.
    pub(super) fn finish(&mut self) {
        self.bytes.extend_from_slice(&[0; SPARE_BYTES]);
    }

    /// The block of a page that was asked for.
    pub(super) fn block(&self, place: usize) -> Block<'_> {
        Block(&self.bytes[self.blocks[place] as usize..])
    }
}

impl<'g> Block<'g> {
    /// No page's.
    pub(crate) const EMPTY: Block<'static> = Block(&[]);

    /// Has it brought near; see [`throng_shared::memory::fetch`].
    pub(crate) fn fetch(&self) {
        self.0.first().into_iter().for_each(fetch);
    }

    /// The variant for a baseline of so many ticks ago, which must have been wanted.
    pub(crate) fn variant(&self, age_ticks: u32) -> Variant<'g> {
        let word = |at: usize| self.0[at..].first_chunk::<8>().copied().unwrap_or_default();
        let wanted = u64::from_le_bytes(word(0));
        debug_assert!(wanted >> age_ticks & 1 == 1, "it was asked for");
        let note = Note::from_bytes(word(8 + 8 * (wanted & ((1 << age_ticks) - 1)).count_ones() as usize));
        Variant { bytes: &self.0[note.start.into()..], length: note.length.into(), told: note.told }
    }
}

impl Variant<'_> {
    /// Length in bytes.
    pub(crate) fn length_bytes(&self) -> usize {
        self.length
    }

    /// Appends it to `out`. Most are so short that a call costs more than to copy a few bytes too many.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        match (self.length, self.bytes.first_chunk::<SPARE_BYTES>()) {
            (0..=SPARE_BYTES, Some(start)) => out.extend_from_slice(start),
            _ => out.extend_from_slice(&self.bytes[..self.length]),
        }
        out.truncate(end);
    }
}
