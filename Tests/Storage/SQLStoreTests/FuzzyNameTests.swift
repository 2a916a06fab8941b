import Access
import Testing
import Workflow

@testable import SQLStore

/// Names of studies by their words and their sound, looked up by an index. PS3.4 §C.2.2.2.1.1, PS3.18 §8.3.4.2.
@Suite("Fuzzy matching of names on both databases")
struct FuzzyNameTests {
    typealias Support = WorkflowSupport

    private static let names: [(study: String, name: String, referring: String)] = [
        ("A", "Smith^John", "Meier^Ute"), ("B", "Smyth^Jon^Q", "Mayer^Ute"), ("C", "Schmidt^Johann", "O'Neil^Sean"),
        ("D", "Müller-Smith^Mary", ""), ("E", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Meyerhof^Ute"), ("F", "", "Smith^J"),
        ("G", "Ward^1530", ""),
    ]
    private static let keys = [
        "smith", "SMITH^JOHN", "john smith", "mueller", "muller smith mary", "山田", "smi*", "*th", "s*h^j*", "meier",
        "ute meyer", "o'neill", "nobody", "s?yth", "tarou=山田",
        "*530", "*5*",
    ]

    private static func add(_ store: RelationalStore) async throws {
        try await store.work { (unit) throws in
            for (study, name, referring) in names {
                _ = try StudyService().register(
                    Support.received("i" + study, study: study, series: "s" + study) { of, _ in
                        of.patientName = name
                        of.referringPhysicianName = referring
                    }, in: unit)
            }
        }
    }

    private static func found(_ store: RelationalStore, _ keys: SearchKeys) async throws -> Set<String> {
        Set(
            try await store.studies(StudyQuery(level: .study, keys: keys), access: Support.server).matches.map {
                $0.study.studyInstanceUID
            })
    }

    private static func expected(
        _ match: KeyMatch, _ name: ((study: String, name: String, referring: String)) -> String
    ) -> Set<String> {
        Set(names.filter { name($0).isEmpty ? match.admitsEmpty : match.matches(name($0)) }.map(\.study))
    }

    @Test("The index finds what the rule says of each name, by each key and by several", arguments: TestDatabases.all)
    func same(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.add(store)
            var matches = Self.keys.map { KeyMatch.similarName($0) }
            matches.append(.anyOf([.similarName("john smith"), .similarName("山田")]))
            matches.append(.anyOf([.empty, .similarName("mary")]))
            for match in matches {
                #expect(
                    try await Self.found(store, SearchKeys([.patientName: match]))
                        == Self.expected(match) { $0.name }, "patient: \(match)")
                #expect(
                    try await Self.found(store, SearchKeys([.referringPhysicianName: match]))
                        == Self.expected(match) { $0.referring }, "referring: \(match)")
            }
            let both = SearchKeys([
                .patientName: .similarName("smith"), .referringPhysicianName: .similarName("meier"),
            ])
            #expect(try await Self.found(store, both) == ["A", "B"])
            // Schmidt and Johann sound so, too.
            #expect(
                try await Self.found(store, SearchKeys([.patientName: .similarName("jon smith")])) == ["A", "B", "C"])
        }
    }

    @Test("As many words as a query may have are one statement", arguments: TestDatabases.all)
    func widest(_ kind: SQLDialect) async throws {
        let letters = "bcdfghklmn".map(String.init)
        let words = letters.flatMap { first in letters.map { first + "a" + $0 } }
        try await Support.with(kind) { store in
            try await Self.add(store)
            // 250 words in alternatives, among them two that are found.
            let two = (0..<124).map { KeyMatch.similarName("\(words[$0 % 100])x^\(words[$0 / 2])*") }
            let match = KeyMatch.anyOf(two + [.similarName("smith"), .similarName("yamada")])
            let keys = SearchKeys([.patientName: match])
            #expect(try await Self.found(store, keys) == ["A", "B", "C", "D", "E"])
            let all = SearchKeys([
                .patientName: .similarName(words.prefix(64).joined(separator: " ")),
                .referringPhysicianName: .anyOf([.empty, .similarName(words.suffix(64).joined(separator: " "))]),
            ])
            #expect(try await Self.found(store, all).isEmpty)
            // As many names as they are written.
            let names = SearchKeys([.patientName: .anyOf((0..<999).map { .name("n\($0)?^*") } + [.name("sm*^*")])])
            #expect(try await Self.found(store, names) == ["A", "B"])
        }
    }

    @Test("A database of an older version has the words of its names after the start", arguments: TestDatabases.all)
    func older(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            for isSecond in [false, true] {
                let database = try await SQLDatabase(.unhurried(location), migrations: Migrations.all)
                let store = Support.store(database)
                if isSecond {
                    #expect(
                        try await Self.found(store, SearchKeys([.patientName: .similarName("jon smith")]))
                            == ["A", "B", "C"])
                    #expect(
                        try await Self.found(store, SearchKeys([.referringPhysicianName: .similarName("sean")]))
                            == ["C"])
                } else {
                    try await Self.add(store)
                    try await database.write { transaction in
                        let kinds = [StudyValueKind.patientNameWord, .referringPhysicianNameWord].map(\.rawValue)
                        try transaction.connection.run(
                            "DELETE FROM study_values WHERE kind IN (?, ?)", kinds.map { .int($0) })
                        try transaction.connection.run("DELETE FROM rebuilt_rows WHERE number = 47")
                    }
                    #expect(
                        try await Self.found(store, SearchKeys([.patientName: .similarName("smith")])).isEmpty)
                }
                await database.close()
            }
        }
    }
}
