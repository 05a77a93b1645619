//! PNG files put together by hand: any header with any samples, and checksums that are right.

/// What every PNG file starts with.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// A chunk's length, name and checksum.
const FRAME: usize = 12;

/// What a file says of itself.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) color: u8,
    pub(crate) depth: u8,
    pub(crate) interlaced: u8,
}

/// A file of this header with so many bytes of samples, whether they are what it takes or not.
pub(crate) fn file(header: Header, samples: u16) -> Vec<u8> {
    let mut file = SIGNATURE.to_vec();
    let mut start = [header.width.to_be_bytes(), header.height.to_be_bytes()].concat();
    start.extend([header.depth, header.color, 0, 0, header.interlaced]);
    chunk(&mut file, *b"IHDR", &start);
    if header.color == 3 {
        chunk(&mut file, *b"PLTE", &[7, 80, 200].repeat(4));
        chunk(&mut file, *b"tRNS", &[0, 128]);
    }
    let data: Vec<u8> = (0..samples).map(|n| u8::from(n % 13 == 0)).collect();
    chunk(&mut file, *b"IDAT", &stored(&data));
    chunk(&mut file, *b"IEND", &[]);
    file
}

/// Puts the checksums of all chunks right, as far as chunks can be made out.
pub(crate) fn mend(file: &mut [u8]) {
    let mut at = SIGNATURE.len();
    while let Some(length) = file.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let end = at.saturating_add(length).saturating_add(8);
        let Some(body) = file.get(at + 4..end) else {
            return;
        };
        let sum = crc(body).to_be_bytes();
        let Some(place) = file.get_mut(end..end + 4) else {
            return;
        };
        place.copy_from_slice(&sum);
        at = at.saturating_add(length).saturating_add(FRAME);
    }
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("a chunk is short");
    let body = [&name, data].concat();
    file.extend(length.to_be_bytes());
    file.extend(&body);
    file.extend(crc(&body).to_be_bytes());
}

/// A zlib stream that stores its data as one uncompressed block.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("a block is short");
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(data);
    stream.extend(adler(data).to_be_bytes());
    stream
}

fn adler(data: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = data.iter().fold((1, 0), step);
    b << 16 | a
}

/// The checksum of PNG's chunks.
fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, byte| {
        CRC[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ sum >> 8
    })
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 {
                0xedb8_8320 ^ sum >> 1
            } else {
                sum >> 1
            };
            bit += 1;
        }
        table[byte as usize] = sum;
        byte += 1;
    }
    table
};
