import DICOMData
import DICOMTranslation
import Workflow

/// Studies and series of an archive, as it told of them, to ask it for by their own values.
struct ArchiveSamples {
    let studies: [DataSet]
    let series: [(study: DataSet, series: DataSet)]

    /// A study, or a series of one, with a value that it tells of an attribute.
    struct Sample {
        let study: DataSet
        /// Nil where a study is asked for.
        let series: DataSet?
        let value: String
    }

    /// The first that tells a value of an attribute that can be asked for; nil where none does.
    func first(with tag: Tag, at level: StudyQueryLevel) -> Sample? {
        if level == .study {
            for study in studies {
                if let value = Self.value(of: tag, in: study) { return Sample(study: study, series: nil, value: value) }
            }
            return nil
        }
        for (study, series) in series {
            if let value = Self.value(of: tag, in: series) { return Sample(study: study, series: series, value: value) }
        }
        return nil
    }

    /// A value that can be asked for as it is; nil for none.
    private static func value(of tag: Tag, in answer: DataSet) -> String? {
        guard let text = answer.strings(tag).first(where: { !$0.isEmpty }) else { return nil }
        // Wildcards, and what one character set has and another lacks, say nothing of the key.
        return text.utf8.allSatisfy { $0 >= 32 && $0 < 127 } && !text.contains { "*?\\".contains($0) } ? text : nil
    }
}

extension ArchiveSamples.Sample {
    private var level: QueryRetrieveLevel { series == nil ? .study : .series }
    private var unique: Tag { series == nil ? .studyInstanceUID : .seriesInstanceUID }
    private var uid: String? { (series ?? study).uid(unique) }

    /// Asks for this study or series alone, with a value of a key; nil where the archive told no UID of it.
    /// PS3.4 §C.4.1.2.1.
    func identifier(_ tag: Tag, _ value: String) -> DataSet? {
        guard let uid, !uid.isEmpty, let study = study.uid(.studyInstanceUID) else { return nil }
        var asked = DataSet()
        asked.set(.queryRetrieveLevel, string: level.rawValue)
        asked.set(.studyInstanceUID, string: study)
        asked.set(unique, string: uid)
        asked.set(tag, string: value)
        return asked
    }

    /// Whether it is one of these.
    func isAmong(_ matches: [DataSet]) -> Bool { matches.contains { $0.uid(unique) == uid } }
}
