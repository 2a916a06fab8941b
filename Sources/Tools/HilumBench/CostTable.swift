import Foundation

/// Milliseconds of each search at each size.
struct CostTable {
    let database: String
    let machine: Machine
    let rounds: Int
    private var names: [String] = []
    private var sizes: [Int] = []
    private var costs: [String: [Int: Double]] = [:]
    private var doors: [BesideLoad.Door] = []
    private var doorSize = 0

    init(database: String, machine: Machine, rounds: Int) {
        self.database = database
        self.machine = machine
        self.rounds = rounds
    }

    mutating func add(_ name: String, _ size: Int, _ milliseconds: Double) {
        if costs[name] == nil { names.append(name) }
        if !sizes.contains(size) { sizes.append(size) }
        costs[name, default: [:]][size] = milliseconds
    }

    mutating func add(_ doors: [BesideLoad.Door], _ size: Int) {
        self.doors = doors
        doorSize = size
    }

    /// The section of the page, as it is also printed.
    var text: String {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        var lines = [
            "## \(database)", "",
            "- Date: \(machine.date)", "- Machine: \(machine.line)",
            "- Milliseconds over HTTP on loopback, median of \(rounds) after 3 that are not counted; the last column is"
                + " the largest size over the smallest", "",
            row(["search"] + sizes.map(String.init) + ["growth"]), row(["---"] + sizes.map { _ in "---:" } + ["---:"]),
        ]
        for name in names {
            let own = costs[name] ?? [:]
            let first = sizes.first.flatMap { own[$0] } ?? 0
            let last = sizes.last.flatMap { own[$0] } ?? 0
            lines.append(
                row(
                    ["`\(name.replacing("|", with: "\\|"))`"] + sizes.map { own[$0].map(NumberText.short) ?? "-" }
                        + [NumberText.short(last / max(first, 0.001))]))
        }
        if !doors.isEmpty {
            lines += [
                "", "Doors beside \(BesideLoad.heavy) heavy searches of one client, at \(doorSize), milliseconds:", "",
                row(["door", "p50 alone", "p99 alone", "p50 beside", "p99 beside", "p99 beside over alone"]),
                row(["---", "---:", "---:", "---:", "---:", "---:"]),
            ]
            for door in doors {
                lines.append(
                    row(
                        [door.name]
                            + [
                                door.alone.part(0.5), door.alone.part(0.99), door.beside.part(0.5),
                                door.beside.part(0.99), door.beside.part(0.99) / max(door.alone.part(0.99), 0.001),
                            ].map(NumberText.short)))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Puts the section into the page, in place of an earlier one of the same database.
    func write(to path: String) throws {
        let old = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        var sections = old.components(separatedBy: "\n## ")
        if old.isEmpty {
            sections = [
                "# What searches cost\n\nWritten by `make costs`: the same number of hits in ever larger stores. Where a row names"
                    + " no bound of its hits, the answer is the first page of 50."
            ]
        }
        let name = database + "\n"
        sections.removeAll { $0.hasPrefix(name) }
        let head = sections.removeFirst().trimmingCharacters(in: .newlines)
        let all =
            (sections.map { $0.trimmingCharacters(in: .newlines) } + [
                String(text.dropFirst(3)).trimmingCharacters(in: .newlines)
            ])
            .sorted()
        try ([head] + all.map { "## " + $0 }).joined(separator: "\n\n").appending("\n")
            .write(toFile: path, atomically: true, encoding: .utf8)
    }
}

extension [Double] {
    /// The number below which this part of all lie; 0 of none.
    func part(_ part: Double) -> Double {
        isEmpty ? 0 : sorted()[Swift.min(count - 1, Int(Double(count) * part))]
    }
}
