import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Synchronization
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation
@testable import DICOMwebAPI

/// Searches by attributes that the index does not have, and all that there is of a match. PS3.18 §8.3.4.
@Suite("QIDO-RS by headers")
struct HeaderKeyTests {
    private static func image(_ description: String, creator: String = "ACME", block: UInt8 = 0x10) -> DataSet {
        var item = DataSet()
        item.set(.codeValue, string: "C-" + description)
        item.set(.encapsulatedDocument, .OB, bytes: [UInt8](repeating: 1, count: 20_000))
        var set = SinglePartTests.image()
        set.set(Tag(0x0010, 0x1010), string: "042Y")
        set.set(Tag(0x0010, 0x1030), .DS, string: "70.50")
        set.set(Tag(0x0008, 0x1010), string: description)
        set.set(.procedureCodeSequence, items: [item])
        set.set(Tag(0x0009, UInt16(block)), .LO, string: creator)
        set.set(Tag(0x0009, UInt16(block) << 8 | 1), .LO, string: "P-" + description)
        set.set(Tag(0x0009, UInt16(block) << 8 | 2), .DS, string: "1.50")
        return set
    }

    private static func match(_ uid: String, _ stored: [InstanceHeader]) -> StudyMatch {
        var match = StudyMatch(
            study: Study(
                id: EntityID(uid), studyInstanceUID: ResultTests.uid, reconciliation: .quarantined(.missingPatientID),
                attributes: StudyAttributes(), updatedAt: UTCInstant(microseconds: 0)), modalitiesInStudy: ["CT"],
            numberOfStudyRelatedSeries: 1, numberOfStudyRelatedInstances: 1)
        match.instance = stored.first { $0.instance.sopInstanceUID == uid }?.instance
        return match
    }

    /// Routes over instances that all match the keys of the index, and what a search of instances gives, as their UIDs.
    private static func search(
        _ query: String, remaining: Int = 0, level: StudyQueryLevel = .instance, budget: MemoryBudget = .unlimited
    ) async throws -> (uids: [String], warning: String?, text: String) {
        let objects = [
            ("1.1", image("ONE"), TransferSyntax.explicitVRLittleEndian),
            ("1.2", image("TWO", block: 0x11), .implicitVRLittleEndian),
            ("1.3", image("THREE", creator: "OTHER"), .explicitVRLittleEndian),
        ]
        let stored = try ResultTests.routes(of: objects).1.stored
        let matches = StudyMatches(
            matches: objects.map { match($0.0, stored) }.filter {
                level == .instance || $0.instance?.sopInstanceUID == "1.1"
            },
            remaining: remaining)
        let (routes, _) = try ResultTests.routes(of: objects, matches: matches, budget: budget)
        let response = try await routes.search(
            level,
            APIRequest(
                method: .get, path: "/", rawQuery: query, headers: HTTPFields(), parameters: PathParameters([]),
                access: AccessContext(
                    principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil)))
        let text = String(decoding: try await SinglePartTests.body(response), as: UTF8.self)
        return (objects.map(\.0).filter { text.contains("\"\($0)\"") }, response.headers[.warning], text)
    }

    @Test("An attribute of the header is a key: by value, pattern and list, in items, and of a private block")
    func keys() async throws {
        for (query, uids) in [
            ("StationName=TWO", ["1.2"]), ("00081010=T*", ["1.2", "1.3"]), ("StationName=ONE%5CTHREE", ["1.1", "1.3"]),
            ("StationName=FOUR", []), ("StationName=", ["1.1", "1.2", "1.3"]),
            ("ProcedureCodeSequence.CodeValue=C-ONE", ["1.1"]), ("PatientAge=042Y&StationName=O*", ["1.1"]),
            // Decimal strings are numbers.
            ("PatientWeight=70.5", ["1.1", "1.2", "1.3"]), ("PatientWeight=%2B7.05e1", ["1.1", "1.2", "1.3"]),
            ("PatientWeight=70", []), ("00091002=1.50&00090010=ACME", ["1.1", "1.2"]),
            // As the tag stands, and by its creator wherever its block lies.
            ("00091001=P-ONE", ["1.1"]), ("00091001=P-T*", ["1.3"]),
            ("00091001=P-T*&00090010=ACME", ["1.2"]), ("00091101=P-*&00090011=ACME", ["1.1", "1.2"]),
            ("00091001=P-*&00090010=NOBODY", []),
        ] as [(String, [String])] {
            #expect(try await Self.search(query).uids == uids, "\(query)")
        }
    }

    @Test("PS3.5 §7.8.1: blocks of two creators are told apart, also where each lies in the other's place")
    func twoBlocks() throws {
        var set = DataSet()
        for (block, name) in [(0x10, "B"), (0x11, "A")] as [(UInt16, String)] {
            set.set(Tag(0x0009, block), .LO, string: name)
            set.set(Tag(0x0009, block << 8 | 1), .LO, string: "of " + name)
        }
        for (query, isMatch) in [
            ("00090010=A&00091001=of A&00090011=B&00091101=of B", true),
            ("00090010=A&00091001=of B&00090011=B&00091101=of A", false),
            ("00090011=A&00091101=of A&00090010=B&00091001=of B", true),
        ] {
            let keys = try #require(try HeaderKeys(Array(QueryParameters(query, plusIsSpace: false))))
            #expect(keys.match(set) == isMatch, "\(query)")
        }
    }

    @Test("§10.6.3.3: what is asked by is in the answer, a private block in the place that the query has it")
    func answered() async throws {
        let known = try await Self.search("StationName=TWO&ProcedureCodeSequence.CodeValue=C-*").text
        #expect(known.contains("\"TWO\"") && known.contains("\"C-TWO\""))
        let own = try await Self.search("00090010=ACME&includefield=00091001&StationName=TWO").text
        #expect(own.contains("\"00090010\"") && own.contains("\"00091001\"") && !own.contains("\"00091101\""))
    }

    @Test("A page is cut from what matches, and a warning tells how many more there are")
    func pages() async throws {
        let first = try await Self.search("StationName=*O*&limit=1")
        #expect(first.uids == ["1.1"])
        #expect(first.warning == "299 hilum \"There are 1 additional results that can be requested\"")
        let next = try await Self.search("StationName=*O*&limit=1&offset=1")
        #expect(next.uids == ["1.2"] && next.warning == nil)
        #expect(try await Self.search("StationName=*O*&offset=2").uids == [])
    }

    @Test("Where the other keys leave more than is looked at, and for what is no attribute or given twice, it is 400")
    func refused() async throws {
        for (query, remaining) in [
            ("StationName=ONE", 1), ("Nonsense=1", 0), ("StationName=ONE&00081010=ONE", 0),
            ("PatientName.CodeValue=1", 0), ("AcquisitionDate=soon", 0), ("PatientWeight=heavy", 0),
            ("ProcedureCodeSequence=x", 0),
        ] {
            await #expect(throws: HTTPFailure(.malformed, ""), "\(query)") {
                try await Self.search(query, remaining: remaining)
            }
        }
    }

    @Test("What headers take is held while they are answered, and given back; 503 where there is no memory for it")
    func memory() async throws {
        let tight = MemoryBudget(bytesMax: 64)
        await #expect(throws: HTTPFailure(.unavailable, "")) {
            try await Self.search("includefield=all", budget: tight)
        }
        #expect(try await Self.search("", budget: tight).uids.count == 3 && tight.used == 0)
        let enough = MemoryBudget()
        _ = try await Self.search("includefield=all", budget: enough)
        #expect(enough.peak > 0 && enough.used == 0)
    }

    @Test("§8.3.4.3: `all` gives what there is of the level and above; a private attribute comes with its creator")
    func all() async throws {
        let instance = try await Self.search("includefield=all").text
        for tag in ["00101010", "00081010", "00280010", "00091001"] {
            #expect(instance.contains("\"\(tag)\""), "\(tag)")
        }
        #expect(!instance.contains("7FE00010"))
        // Of an item what is at hand.
        #expect(instance.contains("\"00080100\"") && !instance.contains("00420011"))
        let study = try await Self.search("includefield=all", level: .study).text
        #expect(study.contains("\"00101010\"") && study.contains("\"00081032\""))
        #expect(!study.contains("\"00081010\"") && !study.contains("\"00280010\""))
        let series = try await Self.search("includefield=all", level: .series).text
        #expect(series.contains("\"00081010\"") && !series.contains("\"00280010\""))
        let nested = try await Self.search("includefield=ProcedureCodeSequence.CodeValue", level: .study).text
        #expect(nested.contains("\"00081032\"") && nested.contains("C-ONE"))
        let own = try await Self.search("includefield=00091001", level: .study).text
        #expect(own.contains("\"00091001\"") && own.contains("\"00090010\""))
    }
}
