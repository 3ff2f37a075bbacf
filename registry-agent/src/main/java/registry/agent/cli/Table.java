package registry.agent.cli;

import java.util.ArrayList;
import java.util.List;

/** Lines of columns, aligned to the left, without blanks at the end. */
final class Table {
    private final int gap;
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * @param gap blanks between the widest cell and the next column
     */
    Table(int gap) {
        this.gap = gap;
    }

    Table row(String... cells) {
        rows.add(List.of(cells));
        return this;
    }

    Table row(List<String> cells) {
        rows.add(List.copyOf(cells));
        return this;
    }

    /** The lines, without a newline behind the last one. */
    String text() {
        var widths = new ArrayList<Integer>();
        for (List<String> row : rows) {
            for (int column = 0; column < row.size(); column++) {
                int width = row.get(column).codePointCount(0, row.get(column).length());
                if (column == widths.size()) {
                    widths.add(width);
                } else {
                    widths.set(column, Math.max(width, widths.get(column)));
                }
            }
        }
        var lines = new ArrayList<String>();
        for (List<String> row : rows) {
            var line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                String cell = row.get(column);
                line.append(cell);
                if (column + 1 < row.size()) {
                    int width = cell.codePointCount(0, cell.length());
                    line.repeat(' ', widths.get(column) - width + gap);
                }
            }
            lines.add(stripEnd(line.toString()));
        }
        return String.join("\n", lines);
    }

    private static String stripEnd(String line) {
        int end = line.length();
        while (end > 0 && line.charAt(end - 1) == ' ') {
            end--;
        }
        return line.substring(0, end);
    }
}
