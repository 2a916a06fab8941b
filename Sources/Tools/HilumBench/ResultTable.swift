/// The results as a table for the terminal and as a page for `conformance/bench`.
struct ResultTable {
    let measurements: [Measurement]
    let facts: [String]
    let machine: Machine
    let run: BenchRun

    private static let head = ["what", "ours", "bound", "ratio", "goal", "met"]

    private static let roundsHead = ["what", "unit", "ours", "bound", "server CPU for one, user + kernel"]

    private var rows: [[String]] {
        measurements.map { one in
            [
                one.name, "\(NumberText.short(one.ours.median)) \(one.unit)",
                one.bound.isEmpty ? "-" : "\(NumberText.short(one.bound.median)) \(one.unit)",
                one.ratio.map(NumberText.short) ?? "-", one.goalText, one.isMet ? "yes" : "NO",
            ]
        }
    }

    /// Columns of equal width.
    var text: String {
        let all = [Self.head] + rows
        let widths = Self.head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        let lines = all.map { row in
            row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }.joined(separator: "  ")
        }
        return (lines + facts.map { "- " + $0 }).joined(separator: "\n")
    }

    /// The whole page.
    var markdown: String {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        func rounds(_ numbers: [Double]) -> String { numbers.map(NumberText.short).joined(separator: ", ") }
        let missed = measurements.filter { !$0.isMet }
        var lines = [
            "# Benchmark results", "",
            "Written by `make bench`. Every ratio compares Hilum with a bound that was measured in the same run on the"
                + " same machine; the sides alternate, and medians of the rounds count.", "",
            "- Date: \(machine.date)", "- Machine: \(machine.line)",
            "- \(run.rounds) rounds of \(NumberText.short(run.seconds)) s each; all on loopback, load and servers share"
                + " the cores", "", row(Self.head), row(Self.head.map { _ in "---" }),
        ]
        lines += rows.map(row)
        lines += ["", missed.isEmpty ? "Every goal is met." : "Missed: \(missed.map(\.name).joined(separator: "; "))."]
        lines += ["", "## Rounds", "", row(Self.roundsHead), row(Self.roundsHead.map { _ in "---" })]
        lines += measurements.map {
            row([$0.name, $0.unit, rounds($0.ours), rounds($0.bound), $0.processorText])
        }
        lines += ["", "## What the bounds do", ""]
        var told: Set<String> = []
        for one in measurements where !one.boundName.isEmpty && told.insert(one.boundName).inserted {
            lines.append("- \(one.boundName)")
        }
        lines += ["", "## Besides", ""] + facts.map { "- " + $0 }
        return lines.joined(separator: "\n") + "\n"
    }
}
