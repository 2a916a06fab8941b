import Access
import FHIRModel
import FHIRResources
import Workflow

/// Consecutive lines of a file, which are written in one unit of work with the note of how far the file was read.
struct ImportBatch: Sendable {
    /// Where a job stands.
    struct Place: Sendable {
        var job: ImportJob
        var input: ImportInput
        /// Outcomes of the lines that were refused, as they are kept.
        var outcomes: [[UInt8]] = []
    }

    let lines: ArraySlice<ImportLine>
    let holder: String
    /// Nil for what is kept.
    let trial: ImportTrial?

    /// Undoes a unit that was only tried.
    private struct Tried: Error { let place: Place }

    /// Writes the lines. Throws ``InteractionError`` and what the domain throws for any of them, ``ImportEnded``, and
    /// `StoreError`.
    func write(_ job: ImportJob, _ input: ImportInput, to store: any ResourceStore, _ access: AccessContext)
        async throws -> Place
    {
        do {
            return try await store.write(access) { unit in
                let place = try write(job, input, in: unit)
                if trial != nil { throw Tried(place: place) }
                try unit.save(place.job, place.input, outcomes: place.outcomes, holder: holder)
                return place
            }
        } catch let tried as Tried {
            trial?.note(lines, of: input.place)
            return tried.place
        }
    }

    private func write(_ job: ImportJob, _ input: ImportInput, in unit: any ResourceUnitOfWork) throws -> Place {
        var place = Place(job: job, input: input)
        var tally = ImportJob.Tally()
        var made: [MadeChange] = []
        for line in lines {
            switch line.content {
            case .refused(let outcome):
                place.outcomes.append(outcome.bytes(ofFile: input.url, line: line.number))
                tally.refused += 1
            case .change(let change, let name):
                let own = ImportedLine(input: input.place, line: line.number)
                if let first = try trial?[name] ?? unit.claim(name, for: job.id, at: own), first != own {
                    let words =
                        "the resource of this id was brought by line \(first.line)"
                        + (first.input == own.input ? "" : " of another file, number \(first.input + 1)")
                        + ": an import writes each once"
                    place.outcomes.append(
                        OperationOutcome(.error, .duplicate, details: words)
                            .bytes(ofFile: input.url, line: line.number))
                    tally.refused += 1
                } else {
                    made.append(try change.resolve(in: unit).make(in: unit))
                }
            }
        }
        try unit.settle()
        for change in made {
            switch try change.result(in: unit).outcome {
            case .created: tally.created += 1
            case .unchanged: tally.unchanged += 1
            default: tally.updated += 1
            }
        }
        if let last = lines.last {
            place.input.offset = last.end
            place.input.line = last.number
        }
        place.input.state = .running
        place.input.tally = input.tally + tally
        place.job.state = .running
        place.job.tally = job.tally + tally
        place.job.errors += Int64(place.outcomes.count)
        return place
    }
}
