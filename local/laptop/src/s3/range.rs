//! Which part of an object is wanted.

use axum::http::StatusCode;

use super::refusal::Refusal;

/// What of an object is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All its bytes.
    Whole(u64),
    /// From the first to the last of these, both included.
    Some { first: u64, last: u64 },
}

impl Part {
    pub(super) fn first(self) -> u64 {
        match self {
            Self::Whole(_) => 0,
            Self::Some { first, .. } => first,
        }
    }

    pub(super) fn length(self) -> u64 {
        match self {
            Self::Whole(size) => size,
            Self::Some { first, last } => last.saturating_sub(first).saturating_add(1),
        }
    }
}

/// What a header `Range` asks for. As at S3, one that is not understood, or names several parts, asks
/// for everything.
pub(super) fn wanted(range: Option<&str>, size: u64) -> Result<Part, Refusal> {
    let whole = Part::Whole(size);
    let Some((first, last)) = range
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
    else {
        return Ok(whole);
    };
    let end = size.saturating_sub(1);
    let part = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => return Ok(whole),
        (Ok(first), Ok(last)) => (first, last.min(end)),
        (Ok(first), Err(_)) if last.is_empty() => (first, end),
        // The last so many bytes.
        (Err(_), Ok(last)) if first.is_empty() && last > 0 => (size.saturating_sub(last), end),
        (Err(_), Ok(_)) if first.is_empty() => (size, end),
        _ => return Ok(whole),
    };
    match part {
        (first, last) if first < size => Ok(Part::Some { first, last }),
        _ => Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "The requested range is not satisfiable",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_goes_on_where_it_broke_off() {
        let part = |range| wanted(Some(range), 10).ok();
        let some = |first, last| Some(Part::Some { first, last });
        assert_eq!(part("bytes=4-"), some(4, 9));
        assert_eq!(part("bytes=0-3"), some(0, 3));
        assert_eq!(part("bytes=4-99"), some(4, 9));
        assert_eq!(part("bytes=-3"), some(7, 9));
        assert_eq!(part("bytes=-99"), some(0, 9));
        for everything in ["bytes=7-3", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b"] {
            assert_eq!(part(everything), Some(Part::Whole(10)), "{everything}");
        }
        for nothing in ["bytes=10-", "bytes=-0"] {
            assert_eq!(part(nothing), None, "{nothing}");
        }
        assert!(wanted(Some("bytes=0-"), 0).is_err());
        assert_eq!(wanted(None, 0).unwrap(), Part::Whole(0));
    }
}
