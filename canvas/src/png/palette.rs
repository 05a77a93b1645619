//! The colours of a picture, when they are few.

use png::BitDepth;

/// Most colours of a palette.
const MAX_COLORS: usize = 256;

/// Places of the hash table: four times as many as colours, so that a search ends at once.
const PLACES: usize = 4 * MAX_COLORS;

/// A place that holds no colour: more than any 24-bit colour.
const EMPTY: u32 = u32::MAX;

/// At most 256 colours, numbered in the order in which they first occur.
pub(super) struct Palette {
    colors: Vec<[u8; 3]>,
    /// Colour and number at the place that the colour's hash leads to.
    table: Box<[(u32, u8); PLACES]>,
}

impl Palette {
    /// The colours of `rgb`, unless they are more than 256.
    pub(super) fn of(rgb: &[u8]) -> Option<Self> {
        let mut palette = Self {
            colors: Vec::new(),
            table: Box::new([(EMPTY, 0); PLACES]),
        };
        let mut last = None;
        for color in rgb.as_chunks::<3>().0 {
            if last != Some(color) {
                palette.insert(*color)?;
                last = Some(color);
            }
        }
        Some(palette)
    }

    fn insert(&mut self, color: [u8; 3]) -> Option<()> {
        let place = self.place(color);
        if self.table[place].0 == EMPTY {
            let number = u8::try_from(self.colors.len()).ok()?;
            self.table[place] = (code(color), number);
            self.colors.push(color);
        }
        Some(())
    }

    /// Where the colour is, or the empty place where it belongs.
    fn place(&self, color: [u8; 3]) -> usize {
        let code = code(color);
        let mut place = (code.wrapping_mul(0x9e37_79b1) >> 22) as usize % PLACES;
        while self.table[place].0 != code && self.table[place].0 != EMPTY {
            place = (place + 1) % PLACES;
        }
        place
    }

    fn number(&self, color: [u8; 3]) -> u8 {
        self.table[self.place(color)].1
    }

    /// Red, green and blue of each colour.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.colors.concat()
    }

    /// The fewest bits that number all colours.
    pub(super) const fn depth(&self) -> BitDepth {
        match self.colors.len() {
            0..=2 => BitDepth::One,
            3..=4 => BitDepth::Two,
            5..=16 => BitDepth::Four,
            _ => BitDepth::Eight,
        }
    }

    /// A row as numbers, several to a byte, in place of what `packed` holds.
    pub(super) fn pack(&self, row: &[u8], packed: &mut Vec<u8>) {
        let bits = self.depth() as usize;
        let per_byte = 8 / bits;
        packed.clear();
        let mut last = ([0; 3], self.number([0; 3]));
        for group in row.as_chunks::<3>().0.chunks(per_byte) {
            let mut byte = 0;
            for (slot, color) in group.iter().enumerate() {
                if last.0 != *color {
                    last = (*color, self.number(*color));
                }
                byte |= last.1 << (8 - bits * (slot + 1));
            }
            packed.push(byte);
        }
    }
}

fn code(color: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, color[0], color[1], color[2]])
}
