import { serve } from "../protocol/server";
import { tlsProvider } from "./provider";

serve(tlsProvider());
