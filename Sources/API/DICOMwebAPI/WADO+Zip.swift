import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// A study, series or instance as one ZIP archive: a file for each instance, named by UIDs and nothing else.
/// PS3.18 §8.6.1.3, §10.4.4.
///
/// The forms of the instances are chosen as those of parts. Nothing is compressed on the way: pixels are by their
/// transfer syntax, or are to be had at once. The body has no length and ends with the directory, so that one that broke
/// off is no archive.
extension DICOMwebRoutes {
    private static let zip = MediaType(type: "application", subtype: "zip")

    /// The wish for an archive, by its name, where nothing that can be made is wanted more. Arguments as of
    /// ``DICOMwebMediaType/instanceForms(_:stored:isSingle:)``.
    static func zipWish(
        _ wishes: [DICOMwebMediaType.Wish], stored: [TransferSyntax], isSingle: Bool
    ) -> DICOMwebMediaType.Wish? {
        for wish in wishes {
            if wish.media.essence == zip.essence, !wish.isMultipart { return wish }
            if DICOMwebMediaType.instanceForm([wish], stored: stored, isSingle: isSingle) != nil { return nil }
        }
        return nil
    }

    /// An archive of what a URL names.
    func archive(
        _ target: Target, _ wish: DICOMwebMediaType.Wish, _ first: [Instance], _ arriving: ArrivingInstances?,
        _ request: APIRequest
    ) async throws -> Response {
        let syntaxes = try first.map { try transferSyntax(of: $0) }
        let asParts = DICOMwebMediaType.Wish(
            media: Self.dicom, isMultipart: true, transferSyntax: wish.transferSyntax, quality: wish.quality)
        guard let form = DICOMwebMediaType.instanceForm([asParts], stored: syntaxes, isSingle: target.instance != nil)
        else {
            throw HTTPFailure(.notAcceptable, "available: application/zip; transfer-syntax=*")
        }
        let permit = try await (arriving == nil ? gate : arrivingGate).permit()
        try await record("retrieve", request)
        let name = target.instance ?? target.series ?? target.study
        // Its bytes are counted and summed on their way, so none go by the kernel.
        let plain = request.withoutFiles
        return .stream(
            contentType: Self.zip.essence,
            headers: [.contentDisposition: "attachment; filename=\"\(name).zip\""]
        ) { writer in
            defer { withExtendedLifetime(permit) {} }
            let reservation = memory.reservation()
            let archive = ZipWriter(writer)
            var page = first
            while let last = page.last {
                for instance in page {
                    try Task.checkCancellation()
                    try await add(instance, form, to: archive, plain)
                    guard reservation.grow(to: archive.directoryBytes) else {
                        throw StoreError(.unavailable, "no memory for the directory of an archive")
                    }
                }
                if let arriving {
                    page = try await arriving.next()
                } else if target.instance != nil || page.count < Self.batch {
                    page = []
                } else {
                    page = try await instances(target, after: last.place, plain)
                }
            }
            try await archive.endArchive()
        }
    }

    /// One instance as a file. What cannot be transcoded is sent as it is stored, as in parts.
    private func add(
        _ instance: Instance, _ form: DICOMwebMediaType.InstanceForm, to archive: ZipWriter, _ request: APIRequest
    ) async throws {
        let stored = try transferSyntax(of: instance)
        var way = form.way(of: stored)
        if case .transcoded(let syntax) = way {
            if let made = try await madeIfPossible(instance, as: syntax, form, request) {
                try await archive.begin(Self.name(instance, made.instance.sopInstanceUID), count: nil)
                var writer: any ResponseBodyWriter = archive
                try await made.send(to: &writer)
                return try await archive.end()
            }
            way = form.way(of: stored, isTried: true)
        }
        var writer: any ResponseBodyWriter = archive
        if way == .stored, instance.subject == nil {
            let whole = 0..<instance.size
            let sender = try await BlobSender.open(instance.blobID, in: blobs, range: whole, files: nil)
            try await archive.begin(Self.name(instance, instance.sopInstanceUID), count: instance.size)
            try await sender.send(whole, to: &writer)
        } else {
            try await archive.begin(Self.name(instance, instance.sopInstanceUID), count: nil)
            try await sendRecoded(instance, request, &writer)
        }
        try await archive.end()
    }

    /// A path of UIDs: digits and dots, which lead out of no folder. Throws `StoreError(.corrupt)` for a stored UID that is
    /// none.
    static func name(_ instance: Instance, _ sopInstanceUID: String) throws -> String {
        let uids = [instance.studyInstanceUID, instance.seriesInstanceUID, sopInstanceUID]
        guard uids.allSatisfy({ UID.isSafe($0) }) else { throw StoreError(.corrupt, "a stored UID is none") }
        return uids.joined(separator: "/") + ".dcm"
    }
}
