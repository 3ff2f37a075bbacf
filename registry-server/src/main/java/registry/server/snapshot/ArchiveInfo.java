package registry.server.snapshot;

/**
 * What an archive says of itself.
 *
 * @param id unlike that of any other archive, for people
 * @param index of the state in it
 * @param term in which it was written
 * @param version of the archive's form
 */
public record ArchiveInfo(
        String id, long index, long term, int version, String datacenter, String node) {}
