//! The heights of a terrain that comes from a file.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits};

use super::limits::{TERRAIN_FILE_BYTES_MAX, TERRAIN_SIDE_MAX};

/// Most memory that the PNG decoder may use beside the picture itself, in bytes.
const DECODER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// First bytes of every PNG: <https://www.w3.org/TR/png-3/#5PNG-file-signature>.
const PNG_SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Heights of a square terrain.
#[derive(Clone, Debug, PartialEq)]
pub struct TerrainSamples {
    /// Samples along one side, 2 to [`TERRAIN_SIDE_MAX`].
    pub side: usize,
    /// Rows of `side` heights in metres, `side * side` in all: north (-z) first, each row from west (-x) to east.
    pub heights_m: Vec<f32>,
}

/// Why a terrain file is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TerrainRefusal {
    /// The end of a sentence that begins with the file's name.
    pub(super) reason: String,
    /// What would be accepted.
    pub(super) accepted: String,
    /// What to do, when that does not go without saying.
    pub(super) suggestion: Option<&'static str>,
}

/// Heights of the least and the greatest sample, in metres.
#[derive(Clone, Copy)]
pub(super) struct HeightRange {
    pub(super) min_m: f32,
    pub(super) max_m: f32,
}

impl HeightRange {
    fn height_m(self, sample: [u8; 2], to_sample: fn([u8; 2]) -> u16) -> f32 {
        self.min_m + (self.max_m - self.min_m) * (f32::from(to_sample(sample)) / f32::from(u16::MAX))
    }
}

/// Decodes a square 16-bit greyscale PNG. Allocates at most 6 bytes per pixel of an accepted size, whatever the file
/// claims.
pub(super) fn decode_png(bytes: &[u8], range: HeightRange) -> Result<TerrainSamples, TerrainRefusal> {
    check_length(bytes)?;
    if !bytes.starts_with(&PNG_SIGNATURE) {
        return Err(refuse_picture("is not a PNG file".to_owned()));
    }
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: DECODER_BYTES_MAX });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(refuse_damaged)?;
    if (header.color_type, header.bit_depth) != (ColorType::Grayscale, BitDepth::Sixteen) {
        let (bits, colors) = (header.bit_depth as u8, color_words(header.color_type));
        return Err(TerrainRefusal {
            reason: format!("has {colors} pixels of {bits} bits per channel"),
            accepted: "a greyscale PNG with 16 bits per channel, without transparency".to_owned(),
            suggestion: Some("export it again as 16-bit greyscale; 8 bits would make steps instead of slopes"),
        });
    }
    let (width, height) = (header.width as usize, header.height as usize);
    if width != height || !(2..=TERRAIN_SIDE_MAX).contains(&width) {
        return Err(TerrainRefusal {
            reason: format!("is {width} pixels wide and {height} high"),
            accepted: format!("a square, 2 x 2 to {TERRAIN_SIDE_MAX} x {TERRAIN_SIDE_MAX} pixels"),
            suggestion: None,
        });
    }
    let mut reader = decoder.read_info().map_err(refuse_damaged)?;
    let mut samples = vec![0; width * width * 2];
    reader.next_frame(&mut samples).map_err(refuse_damaged)?;
    Ok(heights(width, &samples, range, u16::from_be_bytes))
}

/// Decodes a square of 16-bit little-endian samples.
pub(super) fn decode_raw(bytes: &[u8], range: HeightRange) -> Result<TerrainSamples, TerrainRefusal> {
    check_length(bytes)?;
    let count = bytes.len() / 2;
    let side = count.isqrt();
    if !bytes.len().is_multiple_of(2) || side * side != count || !(2..=TERRAIN_SIDE_MAX).contains(&side) {
        let nearest = side.clamp(2, TERRAIN_SIDE_MAX);
        return Err(TerrainRefusal {
            reason: format!("has {} bytes, which is not a square of 2-byte samples", bytes.len()),
            accepted: format!(
                "2 x side x side bytes, side from 2 to {TERRAIN_SIDE_MAX}; {nearest} x {nearest} samples are {} bytes",
                2 * nearest * nearest
            ),
            suggestion: Some("export it again as a square of 16-bit samples, without a header"),
        });
    }
    Ok(heights(side, bytes, range, u16::from_le_bytes))
}

fn check_length(bytes: &[u8]) -> Result<(), TerrainRefusal> {
    if bytes.len() <= TERRAIN_FILE_BYTES_MAX {
        return Ok(());
    }
    Err(TerrainRefusal {
        reason: format!("is too large: {} bytes", bytes.len()),
        accepted: format!("at most {TERRAIN_FILE_BYTES_MAX} bytes"),
        suggestion: None,
    })
}

fn heights(side: usize, samples: &[u8], range: HeightRange, to_sample: fn([u8; 2]) -> u16) -> TerrainSamples {
    let (samples, _) = samples.as_chunks::<2>();
    TerrainSamples { side, heights_m: samples.iter().map(|sample| range.height_m(*sample, to_sample)).collect() }
}

fn refuse_damaged(error: DecodingError) -> TerrainRefusal {
    let reason = match error {
        DecodingError::IoError(_) => "is not a whole PNG: it ends too early".to_owned(),
        DecodingError::LimitsExceeded => "has more in it than a picture".to_owned(),
        other => format!("is damaged: {other}"),
    };
    refuse_picture(reason)
}

fn refuse_picture(reason: String) -> TerrainRefusal {
    TerrainRefusal {
        reason,
        accepted: "a greyscale PNG with 16 bits per channel, without transparency".to_owned(),
        suggestion: Some("open it in a picture editor and export it again"),
    }
}

fn color_words(color_type: ColorType) -> &'static str {
    match color_type {
        ColorType::Grayscale => "greyscale",
        ColorType::GrayscaleAlpha => "greyscale and transparent",
        ColorType::Indexed => "palette",
        ColorType::Rgb => "colour",
        ColorType::Rgba => "colour and transparent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: HeightRange = HeightRange { min_m: -10.0, max_m: 90.0 };

    fn encode(width: u32, height: u32, color: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.write_header().expect("a header").write_image_data(data).expect("the data");
        bytes
    }

    fn grey(width: u32, height: u32) -> Vec<u8> {
        let samples: Vec<u8> = (0..width * height).flat_map(|index| ((index * 4_099) as u16).to_be_bytes()).collect();
        encode(width, height, ColorType::Grayscale, BitDepth::Sixteen, &samples)
    }

    #[test]
    fn a_png_and_a_raw_file_of_the_same_samples_have_the_same_heights() {
        let samples: Vec<u16> = vec![0, u16::MAX, 1_000, 30_000, 65_000, 7, 8, 9, 10];
        let big: Vec<u8> = samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
        let little: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let png = decode_png(&encode(3, 3, ColorType::Grayscale, BitDepth::Sixteen, &big), RANGE).expect("decodes");
        assert_eq!(png, decode_raw(&little, RANGE).expect("decodes"));
        assert_eq!((png.side, png.heights_m.len()), (3, 9));
        assert_eq!(png.heights_m[..2], [-10.0, 90.0]);
    }

    #[test]
    fn other_pictures_are_refused_with_a_reason() {
        let eight_bits = encode(4, 4, ColorType::Grayscale, BitDepth::Eight, &[0; 16]);
        let transparent = encode(4, 4, ColorType::Rgba, BitDepth::Sixteen, &[0; 128]);
        let mut truncated = grey(64, 64);
        truncated.truncate(truncated.len() / 2);
        for (bytes, reason) in [
            (eight_bits, "has greyscale pixels of 8 bits per channel"),
            (transparent, "has colour and transparent pixels of 16 bits per channel"),
            (grey(4, 5), "is 4 pixels wide and 5 high"),
            (grey(1, 1), "is 1 pixels wide and 1 high"),
            (truncated, "is not a whole PNG: it ends too early"),
            (b"GIF89a, not a PNG".to_vec(), "is not a PNG file"),
        ] {
            assert_eq!(decode_png(&bytes, RANGE).map(|samples| samples.side).expect_err(reason).reason, reason);
        }
    }

    #[test]
    fn a_tiny_file_that_claims_a_huge_picture_is_refused_before_anything_is_allocated() {
        let mut bytes = grey(4, 4);
        // Width and height stand behind the signature and the chunk's length and type.
        bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        assert!(decode_png(&bytes, RANGE).is_err());
    }

    #[test]
    fn no_damaged_byte_makes_the_decoder_panic() {
        let sound = grey(8, 8);
        for index in 0..sound.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = sound.clone();
                damaged[index] ^= flip;
                // Only that it returns; a flipped bit in an unimportant chunk may still decode.
                let _ = decode_png(&damaged, RANGE);
            }
        }
    }

    #[test]
    fn raw_files_that_are_not_square_are_refused() {
        for length in [0, 1, 2, 7, 9, 16, 2 * 3 * 4] {
            assert!(decode_raw(&vec![0; length], RANGE).is_err(), "{length} bytes");
        }
        assert_eq!(decode_raw(&[0; 8], RANGE).map(|samples| samples.side), Ok(2));
    }
}
