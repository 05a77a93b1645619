//! Tables: aligned, without borders, easy to cut and grep.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::safe;

/// An aligned table: two spaces between columns, none at the end of a line.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    // Before their widths are measured.
    let cells = |row: Vec<String>| row.into_iter().map(|cell| safe::clean(&cell).into_owned());
    let rows = rows.into_iter().map(|row| cells(row).collect::<Vec<_>>());
    table.set_header(headers.to_vec()).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_with_their_text() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = vec![
            row(["L0SM9cOFIAMCJdw=", "3", "2 min"]),
            row(["a", "12", ""]),
        ];
        let said = table(&["id", "shard", "since"], rows);
        let expected = "id                shard  since\n\
                        L0SM9cOFIAMCJdw=  3      2 min\n\
                        a                 12";
        assert_eq!(said, expected);
    }
}
