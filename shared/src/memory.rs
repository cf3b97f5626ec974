//! Memory that is far away, asked for before it is needed.
//!
//! A server that tells thousands of clients of thousands of others goes through more memory in every tick than is ever near, and to look at one
//! thing after another would be to wait for each. Whoever goes through many has those fetched that come a few places later.

/// What a processor brings near at once, in bytes.
const LINE_BYTES: usize = 64;

/// Has the beginning of something brought near, and does not wait for it.
///
/// A hint: it changes nothing but the time that a look at it takes soon after. The address should be at hand: to read it from far away is to wait. For processors other than x86-64
/// there is no hint without unsafe code; there it is nothing.
#[inline(always)]
pub fn fetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t0(place);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// The same for all of a slice whose elements fill no more than a line each.
#[inline(always)]
pub fn fetch_all<T>(places: &[T]) {
    let in_line = const {
        assert!(size_of::<T>() > 0 && size_of::<T>() <= LINE_BYTES);
        LINE_BYTES / size_of::<T>()
    };
    places.iter().step_by(in_line).for_each(fetch);
}
