import { serve } from "../protocol/server";
import { dockerProvider } from "./provider";

serve(dockerProvider());
