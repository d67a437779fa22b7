//! Text: quoted strings with the escapes of PromQL, which are those of Go.

use super::{BadSelector, Parser};

/// The string that begins here; none when there is no quote.
pub fn string(parser: &mut Parser<'_>) -> Result<Option<String>, BadSelector> {
    let Some(quote) = parser.rest().chars().next() else {
        return Ok(None);
    };
    if !matches!(quote, '"' | '\'' | '`') {
        return Ok(None);
    }
    let from = parser.at;
    parser.at += 1;
    // Escapes such as `\xff` are bytes, so a string is bytes until it ends.
    let mut bytes = Vec::new();
    loop {
        let Some(next) = parser.rest().chars().next() else {
            parser.at = from;
            return Err(parser.error("string without an end"));
        };
        if next == '\n' && quote != '`' {
            return Err(parser.error("line break inside a string"));
        }
        let at = parser.at;
        parser.at += next.len_utf8();
        if next == quote {
            break;
        }
        if next == '\\' && quote != '`' {
            escape(parser, at, quote, &mut bytes)?;
        } else {
            bytes.extend_from_slice(&parser.text.as_bytes()[at..parser.at]);
        }
    }
    String::from_utf8(bytes).map(Some).map_err(|_| {
        parser.at = from;
        parser.error("string is not UTF-8")
    })
}

/// What stands behind a backslash at `at`.
fn escape(
    parser: &mut Parser<'_>,
    at: usize,
    quote: char,
    bytes: &mut Vec<u8>,
) -> Result<(), BadSelector> {
    let sign = parser.rest().chars().next().unwrap_or_default();
    parser.at += sign.len_utf8().min(parser.rest().len());
    let simple = match sign {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        _ if sign == quote => quote as u8,
        'x' => return number(parser, at, 2, 16).map(|byte| bytes.push(byte as u8)),
        '0'..='7' => {
            parser.at = at + 1;
            return match number(parser, at, 3, 8)? {
                byte @ 0..=255 => {
                    bytes.push(byte as u8);
                    Ok(())
                }
                _ => Err(unknown(parser, at)),
            };
        }
        'u' | 'U' => {
            let code = number(parser, at, if sign == 'u' { 4 } else { 8 }, 16)?;
            let character = char::from_u32(code).ok_or_else(|| unknown(parser, at))?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        _ => return Err(unknown(parser, at)),
    };
    bytes.push(simple);
    Ok(())
}

fn number(
    parser: &mut Parser<'_>,
    at: usize,
    digits: usize,
    radix: u32,
) -> Result<u32, BadSelector> {
    let text = parser.rest().get(..digits);
    let number = text
        .filter(|text| text.chars().all(|digit| digit.is_digit(radix)))
        .and_then(|text| u32::from_str_radix(text, radix).ok())
        .ok_or_else(|| unknown(parser, at))?;
    parser.at += digits;
    Ok(number)
}

fn unknown(parser: &mut Parser<'_>, at: usize) -> BadSelector {
    parser.at = at;
    parser.error("unknown escape in a string")
}
