package registry.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Collects the figures and lays them out as a Markdown table that a terminal shows as well. */
final class Report {
    private record Figure(double ours, double floor) {}

    private final Map<Row, Figure> figures = new EnumMap<>(Row.class);
    private final List<String> notes = new ArrayList<>();

    /** Keeps a row's medians; {@code floor} is NaN where there is none. Says it at once, too. */
    void add(Row row, double ours, double floor) {
        figures.put(row, new Figure(ours, floor));
        System.err.printf("%-56s %10s  floor %10s%n", row.label(), Row.text(ours), Row.text(floor));
    }

    void note(String text) {
        notes.add(text);
        System.err.println("# " + text);
    }

    void write(Path file, String machine) throws IOException {
        List<String[]> lines = new ArrayList<>();
        lines.add(new String[] {"row", "ours", "floor", "Consul 1.9.8", "aim", "met"});
        figures.forEach((row, figure) -> lines.add(cells(row, figure)));
        int[] widths = new int[6];
        for (String[] line : lines) {
            for (int i = 0; i < line.length; i++) {
                widths[i] = Math.max(widths[i], line[i].length());
            }
        }
        var text = new StringBuilder();
        for (int i = 0; i < lines.size(); i++) {
            appendLine(text, lines.get(i), widths);
            if (i == 0) {
                appendRule(text, widths);
            }
        }
        text.append('\n').append(machine).append('\n');
        notes.forEach(note -> text.append(note).append('\n'));
        Files.writeString(file, text);
        System.out.print(text);
    }

    private static String[] cells(Row row, Figure figure) {
        return new String[] {
            row.label(),
            Row.text(figure.ours()),
            Row.text(figure.floor()),
            row.consul(),
            row.aim(),
            row.met(figure.ours())
        };
    }

    private static void appendLine(StringBuilder text, String[] cells, int[] widths) {
        text.append('|');
        for (int i = 0; i < cells.length; i++) {
            String padding = " ".repeat(widths[i] - cells[i].length());
            text.append(' ').append(i == 0 ? cells[i] + padding : padding + cells[i]).append(" |");
        }
        text.append('\n');
    }

    private static void appendRule(StringBuilder text, int[] widths) {
        text.append('|');
        for (int i = 0; i < widths.length; i++) {
            text.append('-').append("-".repeat(widths[i])).append(i == 0 ? "-|" : ":|");
        }
        text.append('\n');
    }
}
