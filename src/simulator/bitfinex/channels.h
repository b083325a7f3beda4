// What channels of Bitfinex have in common: several frames of one instant, beats where nothing is
// said, checksums behind the changes of their instant.
//
// A frame begins as "<milliseconds> <all behind the channel's number>"; what makes it a
// connection's own is put around it later.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"

namespace candlewick::simulator::bitfinex {

// Frames of one instant are lines.
void add_line(std::string& out, std::string_view line);
// One a level. What goes comes first, so that the book is never crossed on the way.
void write_changes(std::string& out, const BookChange& change);

// Sends the lines of a feed one by one, and a beat where it has said nothing for long; a feed that
// is null says nothing ever.
std::unique_ptr<Feed> make_channel(const Subject& subject, std::unique_ptr<Feed> lines, Time now);
// Of the best levels, now and then.
std::unique_ptr<Feed> make_checksums(const Subject& subject, std::size_t levels, Time now);

}  // namespace candlewick::simulator::bitfinex
