import Access
import Basics
import FHIRModel
import FHIRSearch
import Workflow

/// The DICOM objects of exported studies, a JSON line each: UIDs, syntax, where it can be had, bytes and SHA-256. A study
/// that lies in an archive alone is one line without objects, with its availability (PS3.3 §C.4.23), and with nothing else
/// where the objects are de-identified. A copy of an archive's object, which is held here as long as there is room, is never
/// exported as one of this server's: its line has its UIDs and says that it is the archive's.
struct ObjectSelection {
    let job: ExportJob
    let scope: ExportScope
    let service: ExportService
    let access: AccessContext

    /// Objects of a study that are looked at before the place is told.
    private static let objectsMax = 50

    /// `place.key` is of the study before; `place.instance` the last object of the one that is being told of.
    func write(
        from place: ExportPart.Place, after: Int64, through: Int64, into writer: ExportFileWriter
    ) async throws -> ExportPart.Place? {
        guard let objects = service.objects else { return nil }
        let key = max(place.key ?? after, after)
        guard let (study, own, isLast) = try await next(after: key, through: through) else { return nil }
        let done: ExportPart.Place? = isLast ? nil : ExportPart.Place(key: own)
        guard let uid = studyUID(study) else { return done }
        if let availability = availability(study), availability != "ONLINE" {
            var value: JSONValue = ["availability": .string(availability)]
            if job.selection?.objectsFor == nil {
                value["studyInstanceUID"] = .string(uid)
                value["url"] = .string(url(uid))
            }
            try line(value, into: writer)
            return done
        }
        let instances = try await objects.instances(
            of: uid, after: place.instance, limit: Self.objectsMax, access: access)
        for instance in instances {
            guard instance.archive == nil else {
                try tell(of: instance, "NEARLINE", into: writer)
                continue
            }
            guard let object = try await objects.object(instance, deidentifiedFor: job.selection?.objectsFor) else {
                try tell(of: instance, "UNAVAILABLE", into: writer)
                continue
            }
            try tell(object, into: writer)
        }
        guard let last = instances.last, instances.count == Self.objectsMax else { return done }
        return ExportPart.Place(key: key, instance: last.place)
    }

    /// A line about an object that is not among those of the export.
    private func tell(of instance: Instance, _ availability: String, into writer: ExportFileWriter) throws {
        var value: JSONValue = ["availability": .string(availability)]
        // De-identified nothing of it that would tell whose it is.
        if job.selection?.objectsFor == nil {
            value["studyInstanceUID"] = .string(instance.studyInstanceUID)
            value["seriesInstanceUID"] = .string(instance.seriesInstanceUID)
            value["sopInstanceUID"] = .string(instance.sopInstanceUID)
            if instance.archive != nil {
                value["url"] = .string(
                    url(instance.studyInstanceUID)
                        + "/series/\(instance.seriesInstanceUID)/instances/\(instance.sopInstanceUID)")
            }
        }
        try line(value, into: writer)
    }

    private func tell(_ object: ExportedObject, into writer: ExportFileWriter) throws {
        var value: JSONValue = [
            "studyInstanceUID": .string(object.studyInstanceUID),
            "seriesInstanceUID": .string(object.seriesInstanceUID),
            "sopInstanceUID": .string(object.sopInstanceUID), "sopClassUID": .string(object.sopClassUID),
            "transferSyntaxUID": .string(object.transferSyntaxUID), "availability": "ONLINE",
            "size": .number(String(object.size)), "sha256": .string(Hexadecimal.encode(object.digest)),
        ]
        if let file = object.file {
            let name = object.sopInstanceUID
            value["url"] = .string("\(service.baseURL)/_export/\(job.id.value)/\(name)")
            writer.take(
                ExportJob.OutputFile(
                    type: "ImagingStudy", blobID: file.id, count: 1, size: object.size, name: name), file)
        } else {
            value["url"] = .string(
                url(object.studyInstanceUID)
                    + "/series/\(object.seriesInstanceUID)/instances/\(object.sopInstanceUID)")
        }
        try line(value, into: writer)
    }

    private func line(_ value: JSONValue, into writer: ExportFileWriter) throws {
        try JSONWriter.compact(value).withUnsafeBytes { try writer.take($0) }
    }

    private func url(_ study: String) -> String { "\(service.imagingURL)/studies/\(study)" }

    // MARK: Studies

    /// The first exported study behind a key, its own key, and whether there is none behind it.
    private func next(after: Int64, through: Int64) async throws -> (study: JSONValue, key: Int64, isLast: Bool)? {
        let page = try await service.store.scan(
            "ImagingStudy", snapshot: job.snapshot, since: job.since, until: job.until,
            matching: try scope.filter("ImagingStudy"), after: after, limit: 1, access: access)
        guard let next = page.next else {
            guard let last = page.resources.first, !last.isDeleted else { return nil }
            return (JSONValue(try JSONDocument(parsing: last.bytes, limits: .stored)), through, true)
        }
        guard next <= through else { return nil }
        guard let study = page.resources.first, !study.isDeleted else {
            return (JSONValue.object(JSONObject()), next, next == through)
        }
        return (JSONValue(try JSONDocument(parsing: study.bytes, limits: .stored)), next, next == through)
    }

    private func studyUID(_ study: JSONValue) -> String? {
        let prefix = "urn:oid:"
        for identifier in study["identifier"]?.array ?? [] where identifier["system"]?.string == "urn:dicom:uid" {
            if let value = identifier["value"]?.string, value.hasPrefix(prefix) {
                return String(value.dropFirst(prefix.utf8.count))
            }
        }
        return nil
    }

    private func availability(_ study: JSONValue) -> String? {
        (study["extension"]?.array ?? []).first { $0["url"]?.string == ImagingStudyProjection.availabilityURL }?[
            "valueCode"]?.string
    }
}
