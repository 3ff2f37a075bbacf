package registry.it.haproxy;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Collects the runs' figures, and lays them out as a Markdown table. */
final class HaproxyTable {
    private final Map<HaproxyRow, List<Double>> figures = new EnumMap<>(HaproxyRow.class);

    void add(HaproxyRow row, double figure) {
        figures.computeIfAbsent(row, first -> new ArrayList<>()).add(figure);
    }

    @Override
    public String toString() {
        List<String[]> lines = new ArrayList<>();
        lines.add(new String[] {"row", "ours", "worst", "runs", "best known", "aim", "met"});
        figures.forEach((row, runs) -> lines.add(cells(row, runs)));
        int columns = lines.getFirst().length;
        var widths = new int[columns];
        for (String[] line : lines) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], line[i].length());
            }
        }
        var text = new StringBuilder();
        for (int n = 0; n < lines.size(); n++) {
            for (int i = 0; i < columns; i++) {
                String cell = lines.get(n)[i];
                String padding = " ".repeat(widths[i] - cell.length());
                text.append("| ").append(i == 0 ? cell + padding : padding + cell).append(' ');
            }
            text.append("|\n");
            if (n == 0) {
                for (int i = 0; i < columns; i++) {
                    text.append('|').append("-".repeat(widths[i] + 1)).append(i == 0 ? '-' : ':');
                }
                text.append("|\n");
            }
        }
        return text.toString();
    }

    private static String[] cells(HaproxyRow row, List<Double> runs) {
        double worst = Figures.max(runs);
        double ours = row.isCount() ? worst : Figures.median(runs);
        return new String[] {
            row.label(),
            HaproxyRow.text(ours),
            row.isCount() ? "" : HaproxyRow.text(worst),
            Integer.toString(runs.size()),
            row.best(),
            row.aim(),
            row.isMet(ours) ? "yes" : "NO"
        };
    }
}
