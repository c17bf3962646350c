//! The XML by which a client commits blocks.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Where a block of a list is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Committed,
    Uncommitted,
    /// Uncommitted first.
    Latest,
}

/// Most blocks of a blob.
const MOST: usize = 50_000;

/// Reads a block list; none when it is not one.
pub(super) fn read(body: &[u8]) -> Option<Vec<(Source, String)>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut blocks = Vec::new();
    let mut source = None;
    let mut depth = 0;
    let mut id = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                depth += 1;
                match (depth, tag.name().as_ref()) {
                    (1, b"BlockList") => {}
                    (2, b"Committed") => source = Some(Source::Committed),
                    (2, b"Uncommitted") => source = Some(Source::Uncommitted),
                    (2, b"Latest") => source = Some(Source::Latest),
                    _ => return None,
                }
                id.clear();
            }
            Event::Text(part) => id.push_str(part.decode().ok()?.trim()),
            Event::End(_) => {
                depth -= 1;
                if let Some(source) = source.take() {
                    blocks.push((source, std::mem::take(&mut id)));
                }
            }
            Event::Empty(tag) if tag.name().as_ref() == b"BlockList" && depth == 0 => return Some(blocks),
            Event::Empty(_) | Event::GeneralRef(_) | Event::CData(_) => return None,
            Event::Eof => return (depth == 0 && blocks.len() <= MOST).then_some(blocks),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, read};

    #[test]
    fn lists_are_read_in_order() {
        let xml = "<?xml version='1.0' encoding='utf-8'?>\n<BlockList><Latest>QQ==</Latest><Committed>Qg==</Committed></BlockList>";
        let wanted = vec![(Source::Latest, "QQ==".to_owned()), (Source::Committed, "Qg==".to_owned())];
        assert_eq!(read(xml.as_bytes()), Some(wanted));
        assert_eq!(read(b"<BlockList />"), Some(Vec::new()));
        assert_eq!(read(b"<BlockList><Other>x</Other></BlockList>"), None);
        assert_eq!(read(b"<BlockList><Latest>x</Latest>"), None);
    }
}
