import DICOMData
import DICOMNetwork
import DIMSEAdapter
import Foundation
import NIOCore

/// The loads that store CT objects, four at a time, and the bound of them. Each gives objects a second.
struct ObjectLoads: Sendable {
    static let connections = 4
    /// Objects of one measurement at most: about 1 GB.
    static let objectsMax = 2000

    let object: CTObject

    /// The bound: every object in a file of its own, created, written and synced before the next.
    ///
    /// The files stay until the benchmark ends. Deleting 2000 of them would be paid for by what is measured next: their
    /// blocks are discarded with the next commits, and an ext4 without a journal looks, for a minute, at each inode that
    /// was deleted whenever it makes a new one.
    ///
    /// - folder: must not exist.
    func files(in folder: String, seconds: Double) async throws -> Double {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ticket = LoadTicket(seconds: seconds, first: 0, limit: Self.objectsMax)
        let bytes = object.file
        try await ThreadLoad.run(Self.connections) { _ in
            while let number = ticket.next() {
                let descriptor = open("\(folder)/\(number)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
                guard descriptor >= 0 else { throw BenchFailure.system("create") }
                defer { close(descriptor) }
                var offset = 0
                while offset < bytes.count {
                    let count = bytes.withUnsafeBytes {
                        write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset)
                    }
                    guard count > 0 else { throw BenchFailure.system("write") }
                    offset += count
                }
                guard fsync(descriptor) == 0 else { throw BenchFailure.system("fsync") }
            }
        }
        return ticket.rate()
    }

    /// Lets go of the cached pages of all files below `folder`, so that whoever is measured next finds as much memory
    /// free, and as recently used, as the one before: in a virtual machine a page's first use costs a multiple.
    static func forgetPages(in folder: String) {
        guard let files = FileManager.default.enumerator(atPath: folder) else { return }
        for case let name as String in files {
            let descriptor = open(folder + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { continue }
            posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
            close(descriptor)
        }
    }

    /// STOW-RS, one object a request. PS3.18 §10.5.
    func stow(port: Int, token: String, first: Int, seconds: Double) async throws -> Double {
        let ticket = LoadTicket(seconds: seconds, first: first, limit: Self.objectsMax)
        let template = object
        try await ThreadLoad.run(Self.connections) { _ in
            let connection = try HTTPConnection(port: port)
            var object = template
            while let number = ticket.next() {
                object.become(number)
                try Self.post(object, on: connection, token: token)
            }
        }
        return ticket.rate()
    }

    /// One STOW-RS request with one part. Throws ``BenchFailure`` for another status than 200.
    static func post(_ object: CTObject, on connection: HTTPConnection, token: String) throws {
        let begin = Array("--bench\r\nContent-Type: application/dicom\r\n\r\n".utf8)
        let reply = try connection.send(
            "POST", "/dicomweb/studies",
            headers: [
                "Authorization: Bearer \(token)", "Accept: application/dicom+json",
                "Content-Type: multipart/related; type=\"application/dicom\"; boundary=bench",
            ], body: begin, object.file, Array("\r\n--bench--\r\n".utf8))
        guard reply.status == 200 else {
            let begin = String(decoding: reply.body.prefix(400), as: UTF8.self)
            throw BenchFailure("STOW-RS answered \(reply.status): \(begin)")
        }
    }

    /// C-STORE, four associations. PS3.4 §B.
    func store(port: Int, first: Int, seconds: Double) async throws -> Double {
        guard let called = AETitle("HILUM"), let calling = AETitle("BENCH") else { throw BenchFailure("AE title") }
        let destination = SCUAssociation.Destination(
            host: "127.0.0.1", port: port, calledAETitle: called, callingAETitle: calling)
        let syntax = TransferSyntax.explicitVRLittleEndian.uid
        var associations: [SCUAssociation] = []
        for _ in 0..<Self.connections {
            associations.append(
                try await SCUAssociation.open(
                    destination, contexts: [(abstractSyntax: UID.ctImageStorage, transferSyntaxes: [syntax])]))
        }
        let ticket = LoadTicket(seconds: seconds, first: first, limit: Self.objectsMax)
        let template = object
        try await withThrowingTaskGroup(of: Void.self) { group in
            for association in associations {
                group.addTask {
                    var dataSet = template.dataSet
                    while let number = ticket.next() {
                        template.become(number, in: &dataSet)
                        let status = try await association.store(
                            sopClassUID: UID.ctImageStorage, sopInstanceUID: CTObject.sopInstanceUID(number),
                            transferSyntax: syntax, dataSet: dataSet)
                        guard status == .success else { throw BenchFailure("C-STORE was answered with \(status)") }
                    }
                }
            }
            try await group.waitForAll()
        }
        let rate = ticket.rate()
        for association in associations { try await association.release() }
        return rate
    }
}
