import DICOMData
import DICOMNetwork
import FHIRModel
import Foundation
import HL7v2
import NIOCore
import Testing

/// `conformance/vectors`: inputs at the edges of the formats, and what must become of each.
@Suite struct VectorTests {
    @Test(
        "RFC 8259, FHIR R4 json.html: each vector is read as it was written or refused", arguments: Vector.all("json"))
    func json(_ vector: Vector) throws {
        let finding = vector.finding {
            let document = try JSONDocument(parsing: vector.bytes)
            #expect(document.bytes == vector.bytes)
            return { pointer in
                var node: JSONNode? = document.root
                for step in pointer.split(separator: "/") {
                    node = node?.kind == .array ? Int(step).flatMap { node?[$0] } : node?[String(step)]
                }
                return node?.numberText ?? node?.string
            }
        }
        #expect(finding == nil)
    }

    @Test("HL7 v2.5.1 §2: each message is read or refused", arguments: Vector.all("hl7v2"))
    func message(_ vector: Vector) throws {
        let finding = vector.finding {
            let message = try Parser().parse(vector.bytes)
            return { path in
                (try? FieldPath(path)).map { message.value(at: $0) }.flatMap { $0.isNull ? "\"\"" : $0.text }
            }
        }
        #expect(finding == nil)
    }

    @Test(
        "PS3.5, PS3.10: each file is read or refused, whole and byte by byte alike",
        arguments: Vector.all("dicom") + Vector.all("fuzz/dicom"))
    func file(_ vector: Vector) throws {
        let finding = vector.finding {
            let file = try Part10File.decode(vector.bytes)
            return Self.values(file.dataSet)
        }
        #expect(finding == nil)
        let streamed = vector.finding {
            var scanner = InstanceScanner()
            for byte in vector.bytes { try scanner.consume([byte]) }
            return Self.values(try scanner.finish().dataSet)
        }
        #expect(streamed == nil)
        // What was read can be read again once it is written.
        if let written = try? Part10File.decode(vector.bytes).encode() {
            #expect(throws: Never.self) { try Part10File.decode(written) }
        }
    }

    private static func values(_ dataSet: DataSet) -> (String) -> String? {
        { text in
            Tag(hex: text.filter(\.isHexDigit)).flatMap { tag in dataSet[tag].flatMap { _ in dataSet.string(tag) } }
        }
    }

    @Test("PS3.8 §9.3: each PDU is read or refused, whole and byte by byte alike", arguments: Vector.all("pdu"))
    func unit(_ vector: Vector) throws {
        for piece in [vector.bytes.count, 1] {
            let finding = vector.finding {
                var decoder = PDUDecoder()
                var buffer = ByteBuffer()
                var found: PDU?
                for start in stride(from: 0, to: vector.bytes.count, by: piece) {
                    buffer.writeBytes(vector.bytes[start..<min(start + piece, vector.bytes.count)])
                    if let next = try decoder.next(from: &buffer) { found = next }
                }
                let kind = found.map { String("\($0)".prefix { $0 != "(" }) }
                return { $0 == "kind" ? kind : nil }
            }
            #expect(finding == nil)
        }
    }

    @Test("Every file has its row and every row its file, and there are some of each kind and outcome")
    func index() throws {
        let rows = Vector.all("")
        #expect(Set(rows.map(\.name)).count == rows.count)
        var files: Set<String> = []
        for kind in ["json", "hl7v2", "dicom", "pdu", "fuzz/dicom"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: Vector.folder.appending(path: kind).path)
            files.formUnion(names.map { "\(kind)/\($0)" })
            // What a fuzzer found is what it is.
            if kind.hasPrefix("fuzz/") { continue }
            for isRefused in [true, false] {
                #expect(rows.count { $0.name.hasPrefix(kind) && $0.isRefused == isRefused } >= 5, "\(kind)")
            }
        }
        #expect(files == Set(rows.map(\.name)))
    }

    @Test("A vector that is read although it should be refused, or has another value, is noticed")
    func judge() {
        func finding(_ expected: String, _ read: () throws -> (String) -> String?) -> String? {
            Vector(name: "x", bytes: [], clause: "", expected: expected).finding(read)
        }
        #expect(finding("refused") { { _ in "1" } } == "x was read")
        #expect(finding("ok a=2") { { _ in "1" } } == "x has 1, not a=2")
        #expect(finding("ok a=2") { { _ in nil } } == "x has no a=2")
        #expect(finding("ok") { throw JSONFailure() }?.hasPrefix("x was refused") == true)
        #expect(finding("refused") { throw JSONFailure() } == nil)
        #expect(finding("ok a=1") { { _ in "1" } } == nil)
    }

    private struct JSONFailure: Error {}
}

/// One row of the index with its file.
struct Vector: Sendable, CustomTestStringConvertible {
    /// Below the folder: `json/empty.json`.
    let name: String
    let bytes: [UInt8]
    let clause: String
    /// `refused`, `ok`, or `ok` and `place=value` pairs.
    let expected: String

    var isRefused: Bool { expected == "refused" }
    var testDescription: String { name }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../conformance/vectors").standardizedFileURL

    /// The rows of a kind; none when the index cannot be read, which the test of the index tells.
    static func all(_ kind: String) -> [Vector] {
        let index = (try? String(contentsOf: folder.appending(path: "index.csv"), encoding: .utf8)) ?? ""
        return index.split(separator: "\n").dropFirst().compactMap { line in
            let cells = cells(line)
            guard cells.count == 3, cells[0].hasPrefix(kind) else { return nil }
            let bytes = (try? Data(contentsOf: folder.appending(path: cells[0]))).map { [UInt8]($0) }
            return Vector(name: cells[0], bytes: bytes ?? [], clause: cells[1], expected: cells[2])
        }
    }

    /// RFC 4180 without line ends inside of cells.
    private static func cells(_ line: Substring) -> [String] {
        var cells = [""]
        var isQuoted = false
        var previous: Character = ","
        for character in line {
            switch character {
            case "\"":
                isQuoted.toggle()
                if isQuoted, previous == "\"" { cells[cells.count - 1].append("\"") }
            case "," where !isQuoted: cells.append("")
            default: cells[cells.count - 1].append(character)
            }
            previous = character
        }
        return cells
    }

    /// What is wrong with what becomes of it; nil when it is as expected. `read` gives what finds a value.
    func finding(_ read: () throws -> (String) -> String?) -> String? {
        let find: (String) -> String?
        do {
            find = try read()
        } catch {
            return isRefused ? nil : "\(name) was refused: \(error)"
        }
        if isRefused { return "\(name) was read" }
        for pair in expected.dropFirst(3).split(separator: " (").map({ $0.contains("=") ? $0 : "kind=" + $0 }) {
            let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard halves.count == 2, let found = find(halves[0]) else { return "\(name) has no \(pair)" }
            if found != halves[1] { return "\(name) has \(found), not \(pair)" }
        }
        return nil
    }
}
